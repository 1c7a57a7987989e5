"""Secrets in a text: patterns of well-known tokens, headers and names, and their removal.

A pattern finds a known form; a secret in another one stays. Every search from one position is bounded, or
consumes what it has read, so the time is linear in the length of the text.
"""

import re

_HIDDEN = "***"

# Tokens that are recognizable by themselves, in the order of the lines below: ours; JSON web tokens; GitHub;
# GitLab; ids of AWS keys; Slack; Stripe; OpenAI and others; Google; Hugging Face; npm and PyPI; private keys.
_TOKEN = re.compile(
    r"""
    \bfc_[0-9a-f]{16}_[0-9a-f]+
    | \beyJ[\w-]{5,2000}\.[\w-]+(?:\.[\w-]*){0,3}
    | \b(?:gh[oprsu]_\w{10,} | github_pat_\w{10,})
    | \bglpat-[\w-]{10,}
    | \b(?:AKIA|ASIA|AGPA|AROA|AIDA)[0-9A-Z]{12,}\b
    | \bx(?:ox[a-z]|app)-[\w-]{8,}
    | \b[rps]k_(?:live|test)_\w{8,}
    | \bsk-(?=[\w-]{0,255}\d)[\w-]{12,}
    | \bAIza[\w-]{30,}
    | \bhf_[A-Za-z0-9]{20,}
    | \b(?:npm_\w{20,} | pypi-[\w-]{20,})
    | -----BEGIN\ [A-Z ]{0,40}PRIVATE\ KEY-----(?:[^-]{0,8000}-----END\ [A-Z ]{0,40}PRIVATE\ KEY-----|.*)
    """,
    re.VERBOSE | re.DOTALL,
)
_URL_USER = re.compile(r"://\S{1,300}@")
_USER_AND_PASSWORD = re.compile(r"""(?<![\w.+/@-])[\w.+-]{1,64}:[^\s@/:,'"]{1,100}@(?!sha\d)(?=[\w\[])""")
_QUOTED = r"""(?:"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?)"""
_HEADER = re.compile(  # its value ends with its line, because `,` and `;` are parts of it
    rf"""\b((?:set-)?cookie|(?:proxy-)?authorization)(['"]?\s{{0,3}}[:=]\s{{0,3}})({_QUOTED}|[^\r\n'"][^\r\n]*)""",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(bearer)\s{1,3}[\w.~+/=-]{8,}", re.IGNORECASE)
_SCHEME = re.compile(  # not of "basic training": base64 has digits, padding or mixed case
    r"\b(basic|digest|negotiate)\s{1,3}(?-i:(?=[\w.~+/-]{0,300}?(?:[\d=]|[a-z][A-Z])))[\w.~+/=-]{8,}",
    re.IGNORECASE,
)
_VALUE = rf"""(?:b?{_QUOTED}|[^\s,;&)}}\]]+)"""
_EQUALS = r"""['"]?\s{0,3}(?:=>?|:=?)\s{0,3}"""
_NAMES = (
    r"passw(?:or)?d|passphrase|passcode|secret|token(?!iz)|(?:api|access|private|account)[_\s-]?key"
    r"|credential|signature|session[_-]?id"
)
_NAMED = re.compile(
    rf"((?:(?:{_NAMES}|authorization)[\w-]{{0,40}}|\b(?:[a-z0-9]{{1,20}}[_-])?(?:pwd|pw)|(?-i:[A-Z]_PASS)\b){_EQUALS})"
    rf"{_VALUE}",
    re.IGNORECASE,
)
_OPTION = re.compile(rf"((?<![\w-])--?(?:{_NAMES}|pwd)\s{{1,3}})(?!-){_VALUE}", re.IGNORECASE)
_STATES = (
    "a|an|the|that|this|not|no|now|too|to|of|for|in|on|at|by|from|with|and|or|but|as|if|still|only|also|always"
    "|never|already|missing|required|mandatory|needed|optional|empty|blank|unset|set|unknown|wrong|incorrect"
    "|invalid|valid|correct|expired|expiring|revoked|rotated|changed|reset|accepted|refused|rejected|denied|used"
    "|unused|stored|hidden|read|sent|given|passed|present|absent|ignored|unavailable|available|malformed"
    "|encrypted|hashed|short|long|weak|old|new|none|null|true|false|ok"
)
_STATED = re.compile(  # as "the password is hunter2", but not "the password is wrong"
    rf"(\b(?:{_NAMES}|pwd)\s{{1,3}}(?:(?:for|of)\s{{1,3}}\S{{1,60}}\s{{1,3}}(?:\S{{1,60}}\s{{1,3}})?)?"
    rf"(?:is|was)\s{{1,3}}(?!(?:{_STATES})\b)){_VALUE}",
    re.IGNORECASE,
)


def without_secrets(text: str) -> str:
    """The text with `***` in place of each secret that has a known form."""
    text = _TOKEN.sub(_HIDDEN, text)
    text = _HEADER.sub(rf"\1\2{_HIDDEN}", text)
    text = _URL_USER.sub(f"://{_HIDDEN}@", text)
    text = _USER_AND_PASSWORD.sub(f"{_HIDDEN}@", text)
    for scheme in (_BEARER, _SCHEME):
        text = scheme.sub(rf"\1 {_HIDDEN}", text)
    for named in (_NAMED, _OPTION, _STATED):
        text = named.sub(rf"\1{_HIDDEN}", text)
    return text
