"""Redaction: no absolute path and no secret of the server, and little else, is hidden."""

import time

import pytest

from facecli.tasks.logs.redaction import MAX_INPUT, redacted

TOKEN = f"fc_{'0' * 16}_{'1' * 64}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot read /srv/facecli/work/t/0001.mp4: no", "cannot read …/0001.mp4: no"),
        ("'/srv/a b/clip.mp4'", "'…/clip.mp4'"),
        ("file:///srv/x/clip.mp4 file:/srv/x/clip.mp4", "file:…/clip.mp4 file:…/clip.mp4"),
        ("('/etc/passwd','/home/ann/.pgpass')", "('…/passwd','…/.pgpass')"),
        ("in /srv/x/y/", "in …/"),
        ("-i=/srv/x/y.mp4", "-i=…/y.mp4"),
        ("/srv/my data/work/t/out.mp4", "…/out.mp4"),
        ("postgresql://ann:p@ss/w@db/x", "postgresql://***@db/x"),
        ("https://user:pw@models.example/a/b", "https://***@models.example/a/b"),
        (f"sent {TOKEN}!", "sent ***!"),
        ("password=hunter2, user=ann", "password=***, user=ann"),
        ("FACECLI_TOKEN: 'a b' DB_PASSWORD=\"c d\"", "FACECLI_TOKEN: *** DB_PASSWORD=***"),
        ('{"api_key": "abc", "n": 1}', '{"api_key": ***, "n": 1}'),
        ("Authorization: Bearer abcdefghij", "Authorization: ***"),
        ("with bearer abcdefghij", "with bearer ***"),
        ("?X-Amz-Signature=abc&y=1", "?X-Amz-Signature=***&y=1"),
        ("password is x", "password is ***"),
        ("the password for user ann was hunter2.", "the password for user ann was ***"),
        ("secret is 'a b', user is ann", "secret is ***, user is ann"),
        ("pwd=x PWD: y db_pwd=z", "pwd=*** PWD: *** db_pwd=***"),
        ("passwd: x; DB_PASS=x", "passwd: ***; DB_PASS=***"),
        (r"""password="a\"b c" n=1""", "password=*** n=1"),
        ("password='cut off", "password=***"),
        ("--password hunter2 -v", "--password *** -v"),
        ("Cookie: id=1; b=2, c=3\nnext", "Cookie: ***\nnext"),
        ("Set-Cookie: id=1; Path=/; HttpOnly", "Set-Cookie: ***"),
        ("{'Cookie': 'id=1; b=2', 'n': 1}", "{'Cookie': ***, 'n': 1}"),
        ('Authorization: Digest username="ann", response="6629"', "Authorization: ***"),
        ('{"authorization": "Basic YW5uOng="}', '{"authorization": ***}'),
        ("with Basic YW5uOmh1bnRlcjI=", "with Basic ***"),
        (f"push with ghp_{'a1' * 18}, ok", "push with ***, ok"),
        (f"gho_{'a1' * 18} ghs_{'a1' * 18} github_pat_{'a1_' * 27}", "*** *** ***"),
        (f"sk-{'a1' * 24} sk-proj-{'a1_-' * 100}", "*** ***"),
        ("for AKIAIOSFODNN7EXAMPLE.", "for ***."),
        ("xoxb-123456789012-abcDEF xoxp-1-2-3-abcdef", "*** ***"),
        (f"jwt eyJhbGciOiJIUzI1NiJ9.{'eyJzdWIi' * 300}.SflKxwRJ-_c!", "jwt ***!"),
        ("hf_" + "a1B" * 12, "***"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII/+=\n-----END RSA PRIVATE KEY-----\nok", "***\nok"),
        ("-----BEGIN PRIVATE KEY-----\nMII", "***"),
        ("redis://:hunter2@cache:6379/0", "redis://***@cache:6379/0"),
        ("ann:hunter2@db:5432/x", "***@db:5432/x"),
        ('open("/home/ann/my secret work/a b.onnx")', 'open("…/a b.onnx")'),
        ("File '/srv/ann\"s/x y/m.bin' and '/a b/c'", "File '…/m.bin' and '…/c'"),
        ("`/mnt/big disk/models/`", "`…/`"),
    ],
)
def test_paths_and_secrets_are_hidden(text: str, shown: str) -> None:
    assert redacted(text, directory="/srv/my data") == shown


@pytest.mark.parametrize(
    "text",
    [
        "2 faces, 25/30 frames, 3.5/s and/or a/b/c",
        "see https://models.example/a/b?c=d",
        "n/a / 5 // 2",
        "the token was revoked",
        "shape (1, 3, 256, 256) dtype=float32 on cuda:0",
        "mail ann@example.org",
        "/",
        "the password is wrong; a token is required; the secret was rotated",
        "basic training of 10 epochs, basic auth is off",
        "pass 1 of 2, pass=2, two-pass: done, bypass: yes",
        "tokenizer=bert vocabulary: 30522",
        "cookies: 3, task-based, sk-learn, ask-me-about-it, risk-free",
        "eyJ is no token, AKIA neither, xoxo",
        "at 10:30:15 on cuda:0, user@host, image:v1@sha256:ab12",
        "'n/a' and '/' or \"/x\"",
        "it's 5/6 done, that's 2/3 more",
        "keys: 17 points, key=nose, monkey=1",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize(
    "part", ["a", "/", "/a", "://", "a-", "token", "token=", "://a@", "'", "\\", "bearer "]
)
@pytest.mark.parametrize(
    "also", ["", "eyJ-", "sk-", "'/a/", "a:", "cookie:", "password for ", "password is "]
)
def test_long_texts_take_no_time(part: str, also: str) -> None:
    began = time.process_time()
    shown = redacted((also + part) * (MAX_INPUT * 4 // len(also + part)))
    assert len(shown) <= 2 * MAX_INPUT  # a mark may be longer than the secret
    assert time.process_time() - began < 2
