"""A few tables as applications have them, filled with made-up rows, and which of their columns hold people's words."""

from __future__ import annotations

import random

import psycopg

TABLES = {
    "customers": frozenset({"notes"}),
    "tickets": frozenset({"body", "resolution"}),
    "orders": frozenset({"delivery_instructions"}),
    "products": frozenset({"description"}),
    "survey_answers": frozenset({"answer", "improvement"}),
}
_SCHEMA = """
CREATE TYPE plan AS ENUM ('free', 'team', 'business');
CREATE TABLE customers (id int PRIMARY KEY, email text, first_name text, last_name varchar(80), company text,
    plan plan, street text, city text, website text, password_hash text, referrer text, notes text, metadata jsonb,
    created_at timestamptz, updated_at timestamptz);
CREATE TABLE tickets (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), customer_id int, subject varchar(255), body text,
    status text, priority varchar(10), resolution text, tags text[], assignee_email text, updated_at timestamptz);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_email text, total numeric(10,2), currency char(3),
    shipping_address text, delivery_instructions text, tracking_url text, payload text, placed_at timestamptz);
CREATE TABLE products (sku text PRIMARY KEY, name text, description text, category text, price numeric, weight real,
    image_url text, barcode text, search_vector tsvector, discontinued boolean, updated_at timestamp);
CREATE TABLE survey_answers (id serial PRIMARY KEY, respondent text, score smallint, question text, answer text,
    improvement text, user_agent text, submitted_at timestamptz);
"""
_WORDS = (
    "the customer would like to move their contract to next year because budget is short and asked whether our team "
    "can help with data from an older system while they train new people on both sites before spring"
).split()
_NAMES = "Ana Ben Chidi Dora Emre Fay Gus Hana Ivo Jun Kofi Lena".split()
_AGENTS = ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
           "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Gecko/20100101 Firefox/128.0 like that")  # fmt: skip
_QUESTION = "How satisfied were you with the service that you received from us in the last twelve months?"


def fill_tables(url: str, rows: int = 400, seed: int = 1) -> None:
    """Create and fill all tables; the same every time."""
    chance = random.Random(seed)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_SCHEMA)
        for number in range(rows):
            for statement, values in _rows(number, chance):
                connection.execute(statement, values)


def _prose(chance: random.Random, most: int) -> str:
    return " ".join(chance.choice(_WORDS) for _ in range(chance.randint(most // 2, most))).capitalize() + "."


_INSERTS = (
    """INSERT INTO customers VALUES
       (%s, %s, %s, %s, %s, 'team', %s, %s, %s, %s, 'search engine', %s, '{"a": 1}', now(), now())""",
    """INSERT INTO tickets (customer_id, subject, body, status, priority, resolution, tags, assignee_email)
       VALUES (%s, %s, %s, %s, 'high', %s, '{a,b}', 'help@example.com')""",
    "INSERT INTO orders VALUES (%s, %s, 10.5, 'EUR', %s, %s, %s, %s, now())",
    "INSERT INTO products VALUES (%s, %s, %s, %s, 1.5, 2.5, %s, %s, NULL, false, now())",
    """INSERT INTO survey_answers (respondent, score, question, answer, improvement, user_agent)
       VALUES (%s, 4, %s, %s, %s, %s)""",
)


def _rows(number: int, chance: random.Random) -> list[tuple[str, tuple[object, ...]]]:
    first, last = chance.choice(_NAMES), chance.choice(_NAMES)
    address = f"{number} Long Lane, Building {number % 7}, Door {number % 5}, Springfield, Some County, 12{number:03}"
    email, site = f"{first}.{last}.{number}@example.com".lower(), f"https://{last.lower()}{number}.example"
    sometimes = _prose(chance, 30) if chance.random() < 0.6 else None
    payload = f'{{"id": {number}, "lines": [1, 2, 3], "note": "made by a machine"}}'
    values: list[tuple[object, ...]] = [
        (number, email, first, last, f"{last} & {first} Ltd", "12 Low Lane", "Ulm", site, f"{number:064x}", sometimes),
        (number, _prose(chance, 6), f"<p>{_prose(chance, 40)}</p>", chance.choice(["open", "closed"]), sometimes),
        (number, f"buyer{number % 40}@example.com", address, sometimes, f"https://track.example/{number}", payload),
        (f"SKU-{number:05}", f"Thing {number}", _prose(chance, 35), chance.choice(["tools", "toys"]),
         f"https://img.example/{number}.png", f"{number:013}"),
        (first, _QUESTION, _prose(chance, 25), _prose(chance, 12), chance.choice(_AGENTS)),
    ]  # fmt: skip
    return list(zip(_INSERTS, values, strict=True))
