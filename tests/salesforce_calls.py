"""Calls to the stand-in Salesforce as a plain HTTP client makes them."""

import requests
from doubles.salesforce import shapes

DATA = "/services/data/v62.0"


def refusal_in(answer):
    """Status, code and message of an answer that turns something down; its form is the recorded one."""
    shapes.check(shapes.ERRORS, answer.json())
    (error,) = answer.json()
    return answer.status_code, error["errorCode"], error["message"]


class Caller(requests.Session):
    """Calls one org with a session of its own; paths begin at the API version unless they are whole."""

    def __init__(self, org):
        super().__init__()
        self.trust_env = False
        self.org = org
        self.headers["Authorization"] = f"Bearer {org.access_token}"

    def call(self, method, path, **more):
        """One call; the answer as it came."""
        whole = path if path.startswith("/services") else DATA + path
        return self.request(method, self.org.url + whole, timeout=20, **more)

    def query(self, soql, operation="query", **more):
        return self.call("GET", f"/{operation}/", params={"q": soql}, **more)

    def records(self, soql, operation="query"):
        """All records of a statement, page after page, without their attributes."""
        page = self.query(soql, operation).json()
        found = page["records"]
        while not page["done"]:
            page = self.call("GET", page["nextRecordsUrl"]).json()
            found += page["records"]
        return [{name: value for name, value in record.items() if name != "attributes"} for record in found]

    def refused(self, soql, operation="query"):
        """Status, code and message of a statement that is turned down."""
        return refusal_in(self.query(soql, operation))

    def job(self, soql, operation="query", **more):
        return self.call("POST", "/jobs/query", json={"operation": operation, "query": soql, **more})

    def finished(self, soql, operation="query", **more):
        """A job's address after it is complete (or failed), and its last status."""
        path = f"/jobs/query/{self.job(soql, operation, **more).json()['id']}"
        status = self.call("GET", path).json()
        while status["state"] in {"UploadComplete", "InProgress"}:
            status = self.call("GET", path).json()
        return path, status
