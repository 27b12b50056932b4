"""Who gets in, and what a browser is told."""

import pytest

from irisrec.errors import ConfigError
from irisrec.serving.access import _network
from irisrec.serving.config import ServeSettings
from irisrec.serving.keys import hashed, new_key
from tests.serving.small import settings_of

READ, WRITE = new_key(), new_key()
KEYS = [
    {"name": "reader", "scope": "read", "sha256": hashed(READ)},
    {"name": "writer", "scope": "write", "sha256": hashed(WRITE)},
]
LIST = {"history": ["i03"]}
EVENT = {"events": [{"user_id": "u3", "item_id": "i04"}]}


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def test_each_scope_may_do_its_own(client_of):
    client = client_of(keys=KEYS)
    status = {
        key: (
            client.post("/recommend", json=LIST, headers=headers).status_code,
            client.get("/users/u3/history", headers=headers).status_code,
            client.post("/interactions", json=EVENT, headers=headers).status_code,
            client.delete("/users/u9", headers=headers).status_code,
            client.post("/admin/reload", json={}, headers=headers).status_code,
        )
        for key, headers in {
            "none": {},
            "wrong": bearer("iris_wrong"),
            "reader": bearer(READ),
            "writer": bearer(WRITE),
        }.items()
    }
    assert status == {
        "none": (401,) * 5,
        "wrong": (401,) * 5,
        "reader": (200, 200, 403, 403, 403),
        "writer": (200,) * 5,
    }


def test_every_route_but_health_asks_for_a_key(client_of):
    client = client_of(keys=KEYS)
    for path, methods in client.app.openapi()["paths"].items():
        for method in methods:
            status = client.request(method, path.replace("{", "").replace("}", "")).status_code
            assert status == (200 if path in ("/health", "/ready") else 401), (method, path)
    assert client.get("/openapi.json").status_code == 401
    assert client.get("/metrics").status_code == 401


def test_a_refused_request_is_not_even_read(client_of):
    client = client_of(keys=KEYS)
    answer = client.post("/recommend", content=b"{" * 10_000, headers={"Content-Type": "application/json"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_browser_s_cookie_is_good_for_reading_alone(client_of):
    client = client_of(keys=KEYS)
    cookie = {"Cookie": f"irisrec_key={WRITE}"}
    assert client.post("/recommend", json=LIST, headers=cookie).status_code == 200
    assert client.post("/interactions", json=EVENT, headers=cookie).status_code == 401


def test_keys_are_kept_as_hashes():
    settings = settings_of("run", keys=KEYS)
    assert READ not in repr(settings)
    assert hashed(READ) in repr(settings)
    with pytest.raises(ConfigError, match="'reader' stands more than once"):
        settings_of("run", keys=[KEYS[0], KEYS[0]])


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}],
)
def test_pages_of_other_sites_may_not_write(client, headers):
    assert client.post("/admin/reload", json={}, headers=headers).status_code == 403
    assert client.post("/admin/reload", json={}, headers={"Origin": "http://localhost"}).status_code == 200


def test_a_body_without_its_content_type_is_not_read_as_json(client):
    answer = client.post(
        "/recommend", content=b'{"history": ["i03"]}', headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 422
    assert "sent with Content-Type: application/json" in answer.json()["message"]


def test_without_keys_only_the_names_of_this_machine_are_served(client):
    assert client.get("/health", headers={"Host": "elsewhere.example"}).status_code == 400
    assert client.get("/health", headers={"Host": "127.0.0.1:8000"}).status_code == 200
    assert client.get("/health", headers={"Host": "[::1]:8000"}).status_code == 200


def test_other_machines_are_served_with_keys_or_by_an_explicit_word_alone():
    with pytest.raises(ConfigError, match=r"listening on 0\.0\.0\.0 lets other machines in"):
        ServeSettings(run="run", host="0.0.0.0").check_reach()
    ServeSettings(run="run", host="0.0.0.0", without_keys=True).check_reach()
    ServeSettings(run="run", host="0.0.0.0", keys=KEYS).check_reach()
    ServeSettings(run="run").check_reach()


def test_a_client_that_asks_too_often_is_told_when_to_come_back(client_of):
    client = client_of(keys=KEYS, rate={"per_second": 0.1, "burst": 2})
    assert [client.get("/version", headers=bearer(READ)).status_code for _ in range(3)] == [200, 200, 429]
    refused = client.get("/version", headers=bearer(READ))
    assert 1 <= int(refused.headers["retry-after"]) <= 10
    assert client.get("/version", headers=bearer(WRITE)).status_code == 200
    assert client.get("/health").status_code == 200


def test_every_answer_tells_browsers_to_load_nothing_from_elsewhere(client):
    for answer in (client.get("/health"), client.get("/nothing"), client.post("/recommend", json={})):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "server" not in answer.headers


def test_a_request_id_is_taken_over_where_it_is_one(client):
    assert client.get("/health", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
    assert client.get("/health", headers={"X-Request-ID": "a b\tc"}).headers["x-request-id"] != "a b\tc"


def test_addresses_of_one_ipv6_network_are_one_client_and_mapped_ones_are_their_ipv4_address():
    names = [_network(address) for address in ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1")]
    assert names[0] == names[1] != names[2]
    assert _network("fe80::1%eth0") == "fe80::"
    assert _network("::ffff:192.0.2.7") == _network("192.0.2.7")
    assert (_network(""), _network("testclient")) == ("", "testclient")
