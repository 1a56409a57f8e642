"""The style sheet of all pages, and the policy that lets nothing else in."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

CSS = """
:root{color-scheme:light dark;--bg:#f7f7f5;--card:#fff;--ink:#1b1c1f;--soft:#5f636b;--faint:#8b9099;--line:#e6e6e2;
--wash:#f1f1ee;--accent:#2f5bd8;--accent-wash:#eaf0ff;--good:#1a7a4c;--good-wash:#e4f5ec;--warn:#8f5a00;
--warn-wash:#fdf1d8;--bad:#b3261e;--bad-wash:#fce8e6;--shadow:0 1px 2px rgb(20 20 30/.05)}
@media (prefers-color-scheme:dark){:root{--bg:#121316;--card:#1a1c20;--ink:#ecedf0;--soft:#a6abb5;--faint:#7d838e;
--line:#2b2e35;--wash:#22252b;--accent:#8fb0ff;--accent-wash:#1e2a4a;--good:#6fd6a0;--good-wash:#15301f;
--warn:#f0c269;--warn-wash:#362a10;--bad:#ff9a90;--bad-wash:#3b1a18;--shadow:none}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.55 ui-sans-serif,system-ui,-apple-system,"Segoe UI",
Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif;-webkit-text-size-adjust:100%}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline;text-underline-offset:2px}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
code,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.88em}
.wrap{max-width:1120px;margin:0 auto;padding:0 24px}
.top{border-bottom:1px solid var(--line);background:var(--card)}
.top .wrap{display:flex;align-items:center;gap:28px;min-height:56px}
.brand{display:flex;align-items:center;gap:10px;font-weight:650;letter-spacing:-.01em;color:var(--ink)}
.brand:hover{text-decoration:none}
.mark{width:20px;height:20px;border-radius:6px;background:var(--accent);box-shadow:inset 0 0 0 5px var(--card),
inset 0 0 0 20px var(--accent);border:2px solid var(--accent)}
nav{display:flex;gap:4px}nav a{color:var(--soft);padding:6px 12px;border-radius:8px}
nav a:hover{background:var(--wash);text-decoration:none}nav a[aria-current]{color:var(--ink);background:var(--wash);
font-weight:600}
main.wrap{padding-top:36px;padding-bottom:56px}
h1{font-size:26px;line-height:1.25;letter-spacing:-.02em;font-weight:680;margin:0;overflow-wrap:anywhere}
h2{font-size:17px;letter-spacing:-.01em;font-weight:650;margin:0}
.lead{color:var(--soft);margin:8px 0 0;max-width:68ch}
.plan{margin:12px 2px 0}
.crumb{font-size:13.5px;margin:0 0 10px;color:var(--faint)}
.head{display:flex;align-items:baseline;justify-content:space-between;gap:16px;margin:40px 0 12px}
.head .hint,.hint{color:var(--soft);font-size:13.5px}
.stats{display:grid;grid-template-columns:repeat(4,1fr);gap:14px;margin-top:26px}
.stat{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px 18px;box-shadow:var(--shadow)}
.stat .name{color:var(--soft);font-size:13px}
.stat .value{font-size:27px;line-height:1.3;font-weight:650;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.stat .note{color:var(--soft);font-size:12.5px;font-variant-numeric:tabular-nums}
progress{appearance:none;display:block;width:100%;height:5px;border:0;border-radius:9px;overflow:hidden;
background:var(--wash);margin:7px 0 6px}
progress::-webkit-progress-bar{background:var(--wash)}progress::-webkit-progress-value{background:var(--accent)}
progress::-moz-progress-bar{background:var(--accent)}
progress.full::-webkit-progress-value{background:var(--bad)}progress.full::-moz-progress-bar{background:var(--bad)}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;box-shadow:var(--shadow);overflow:hidden}
table{width:100%;border-collapse:collapse;font-size:14px}
th{text-align:left;font-weight:550;font-size:12.5px;color:var(--soft);padding:10px 18px;background:var(--wash);
border-bottom:1px solid var(--line);white-space:nowrap}
td{padding:12px 18px;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
td.lead-cell{min-width:15.5rem}td.lead-cell.name{min-width:9rem}.short{white-space:nowrap}
tr:last-child td{border-bottom:0}
.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.time{color:var(--soft);white-space:nowrap;font-variant-numeric:tabular-nums}
.who{font-weight:600;color:var(--ink)}.who:hover{color:var(--accent)}
.sub{display:block;color:var(--soft);font-size:13px}
.facts{display:flex;flex-wrap:wrap;gap:2px 14px;color:var(--ink);font-size:13.5px}
.facts b{font-weight:450;color:var(--soft);margin-right:5px}
.chip{display:inline-block;padding:1px 9px;border-radius:99px;font-size:12.5px;font-weight:550;white-space:nowrap;
background:var(--wash);color:var(--soft)}
.chip.completed,.chip.ok{background:var(--good-wash);color:var(--good)}
.chip.received,.chip.processing,.chip.running,.chip.budget{background:var(--accent-wash);color:var(--accent)}
.chip.partial_failure,.chip.rejects,.chip.late,.chip.held,.chip.quota{background:var(--warn-wash);color:var(--warn)}
.chip.failed,.chip.killed,.chip.unconfirmed{background:var(--bad-wash);color:var(--bad)}
.notice{background:var(--bad-wash);color:var(--bad);border-radius:12px;padding:13px 18px;margin:18px 0 0;
overflow-wrap:anywhere}
.chart{display:block;width:184px;height:35px;max-width:100%;border-bottom:1px solid var(--line)}
.chart rect{fill:var(--accent)}.chart .bad{fill:var(--bad)}.chart .zero{fill:var(--line)}
.bad{color:var(--bad);font-weight:600}.none{color:var(--faint)}
.find{display:flex;gap:10px;margin:0 0 14px;flex-wrap:wrap}
.find input,.find select,.find button{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);
border-radius:9px;padding:8px 12px;min-height:40px}
.find input{flex:1 1 260px;min-width:0}.find button{background:var(--accent);border-color:var(--accent);color:#fff;
font-weight:600;padding:8px 18px;cursor:pointer}
@media (prefers-color-scheme:dark){.find button{color:#0e1730}}
.pages{display:flex;justify-content:space-between;align-items:center;gap:12px;padding:12px 2px;color:var(--soft);
font-size:13.5px;font-variant-numeric:tabular-nums}
.pages span.off{color:var(--faint)}.pages .turn{display:flex;gap:18px}
.empty{padding:34px 28px}.empty h3{margin:0 0 6px;font-size:16px;font-weight:650}
.empty p{margin:0 0 14px;color:var(--soft);max-width:62ch}.empty p:last-child{margin-bottom:0}
pre{margin:0;padding:14px 16px;background:var(--wash);border-radius:9px;overflow-x:auto;line-height:1.7;
font:13px/1.7 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.steps{display:grid;gap:14px;margin:0;padding:0;list-style:none}
.steps b{display:block;margin-bottom:6px;font-weight:600}
.value{white-space:pre-wrap}td.text{line-height:1.6}
.meta{display:flex;flex-wrap:wrap;gap:8px 12px;align-items:center;margin-top:10px;color:var(--soft);font-size:14px;
overflow-wrap:anywhere}
.memories{list-style:none;margin:0;padding:0}.memories li{padding:13px 18px;border-bottom:1px solid var(--line)}
.memories li:last-child{border-bottom:0}.memories p{margin:0;overflow-wrap:anywhere}
.memories .from{color:var(--soft);font-size:13px;margin-top:3px}
footer{border-top:1px solid var(--line);color:var(--soft);font-size:13px}
footer .wrap{padding-top:18px;padding-bottom:34px}
@media (max-width:720px){
.wrap{padding:0 16px}.top .wrap{gap:12px;flex-wrap:wrap;padding-top:10px;padding-bottom:8px}
nav{margin-left:-12px;width:100%}main.wrap{padding-top:24px;padding-bottom:40px}h1{font-size:23px}
.stats{grid-template-columns:1fr 1fr;gap:10px}.stat{padding:13px 14px}.stat .value{font-size:22px}
.head{margin-top:32px;flex-wrap:wrap;gap:4px 16px}.empty{padding:24px 18px}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table,tbody{display:block}tr{display:block;padding:13px 16px;border-bottom:1px solid var(--line)}
tr:last-child{border-bottom:0}
td{display:inline-flex;align-items:baseline;gap:6px;border:0;padding:2px 16px 2px 0;max-width:100%}
td::before{content:attr(data-label);color:var(--soft);font-size:13px}
td.lead-cell,td.wide{display:block;padding:0 0 6px;min-width:0;max-width:none}
td.lead-cell::before,td.wide::before{content:none}
td.graph{display:flex;align-items:center}
.num{text-align:left}.short,.time{white-space:normal}.find select{flex:1}
}
"""

_HASH = b64encode(sha256(CSS.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src data:; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)

SECURITY = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)
