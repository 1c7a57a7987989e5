"""The files of the console: types, policy, caching, and texts in both languages."""

import re
from pathlib import Path

import pytest

import facecli.web
from facecli.bootstrap.server import Running
from facecli.core import errors
from facecli.core.errors import FacecliError
from facecli.web.static import POLICY
from tests.support.web.http_client import ask

CONSOLE = Path(facecli.web.__file__).parent / "console"
FILES = sorted(str(path.relative_to(CONSOLE)) for path in CONSOLE.rglob("*") if path.is_file())
MAX_FILE_LINES = 250

_NAMED = re.compile(
    r'(?:\b(?:say|label): |\b(?:text|button|notify|openDialog)\(|\b(?:say|label)\([^"`\n]*, )"(\w+)"'
)


def test_the_page_and_its_files_are_served_with_their_types_and_a_strict_policy(server: Running) -> None:
    page = ask(server.http, "/")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.body == (CONSOLE / "index.html").read_bytes()
    for file in FILES:
        answer = ask(server.http, f"/console/{file}")
        assert (answer.status, answer.body) == (200, (CONSOLE / file).read_bytes())
        assert answer.headers["content-security-policy"] == POLICY
    assert "default-src 'none'" in POLICY and "unsafe" not in POLICY and "http" not in POLICY


def test_an_unchanged_file_is_not_sent_again(server: Running) -> None:
    first = ask(server.http, "/console/main.js")
    assert first.headers["cache-control"] == "no-cache"
    again = ask(server.http, "/console/main.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert ask(server.http, "/console/main.js", headers={"if-none-match": '"other"'}).status == 200


@pytest.mark.parametrize(
    "path",
    ["/console/../app.py", "/console/%2e%2e/app.py", "/console/text", "/console//", "/console/none.js"],
)
def test_other_paths_are_refused(server: Running, path: str) -> None:
    assert ask(server.http, path).status == 404


def test_other_methods_are_refused(server: Running) -> None:
    for path in ("/", "/console/main.js"):
        answer = ask(server.http, path, method="POST")
        assert (answer.status, answer.reason) == (405, "INVALID_INPUT")


@pytest.mark.parametrize("file", FILES)
def test_files_are_short_load_nothing_from_elsewhere_and_write_no_markup(file: str) -> None:
    text = (CONSOLE / file).read_text()
    assert len(text.splitlines()) <= MAX_FILE_LINES
    elsewhere = re.findall(r"https?://[^\"'\s]+", text.replace("http://www.w3.org/2000/svg", ""))
    assert elsewhere == []
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|\son\w+=", text) == []


def test_both_languages_have_the_same_texts_with_the_same_values() -> None:
    english, chinese = (_entries(f"text/{name}.js", name) for name in ("english", "chinese"))
    assert english.keys() == chinese.keys()
    for name, text in english.items():
        assert set(re.findall(r"\{[^}]+\}", text)) == set(re.findall(r"\{[^}]+\}", chinese[name])), name


def test_every_text_that_the_page_names_exists() -> None:
    texts = _entries("text/english.js", "english")
    named = re.findall(r'data-(?:say|label|placeholder)="(\w+)"', (CONSOLE / "index.html").read_text())
    for file in FILES:
        if file.endswith(".js"):
            named += _NAMED.findall((CONSOLE / file).read_text())
    assert len(set(named)) > 60
    assert set(named) <= texts.keys()


def test_errors_have_a_hint_in_both_languages_where_the_commands_give_one() -> None:
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, FacecliError)
    ]
    of_commands = {"MISCONFIGURED_CONNECTION"}  # about their options
    reasons = {kind.reason for kind in kinds if kind.hint} - of_commands
    for language in ("english", "chinese"):
        hints = _entries(f"text/{language}.js", f"{language}Hints")
        assert reasons - hints.keys() == set()


def _entries(file: str, constant: str) -> dict[str, str]:
    """The names and texts of an object in a script."""
    source = (CONSOLE / file).read_text()
    body = source.split(f"export const {constant} = {{")[1].split("\n};")[0]
    return dict(re.findall(r'^  (\w+): "(.*)",$', body, re.MULTILINE))
