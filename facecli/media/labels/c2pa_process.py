"""C2PA manifests in a process of their own, a script: `python -I c2pa_process.py PACKAGES JOB`.

PACKAGES is the directory that holds c2pa, and JOB a JSON object. The job `parent` reads the edited video,
which may be hostile, and writes an archive that names it; `sign` has the private key, and reads that archive
and the result alone; `read` checks the manifest of a file. The answer is one line of JSON.
"""

import json
import sys
from typing import Any

if __name__ == "__main__":
    sys.path.append(sys.argv[1])

from c2pa import Builder, C2paError, C2paSignerInfo, Context, Reader, Settings, Signer

COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
ALGORITHMS = (b"es256", b"es384", b"es512", b"ps256", b"ps384", b"ps512", b"ed25519")
MAX_ITEMS, MAX_TEXT = 8, 150  # of an answer

_PARENT = "parent"


def main(job: dict[str, Any]) -> dict[str, Any]:
    return {"parent": _parent, "sign": _sign, "read": _read}[job["job"]](job)


def _parent(job: dict[str, Any]) -> dict[str, Any]:
    """Name the edited video, with its own manifest if it has one, in an archive."""
    actions = [
        {"action": "c2pa.opened", "parameters": {"ingredientIds": [_PARENT]}},
        {"action": "c2pa.edited", "digitalSourceType": COMPOSITE},
    ]
    generator = {"name": "facecli", "version": job["version"]}
    manifest = {
        "claim_generator_info": [generator],
        "title": "video with a swapped face",
        "format": "video/mp4",
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
    }
    builder = Builder(manifest, _context())
    ingredient = {"title": "source video", "relationship": "parentOf", "instance_id": _PARENT}
    with open(job["video"], "rb") as video:  # noqa: PTH123  (as below: paths are text here)
        builder.add_ingredient(ingredient, job["format"], video)
    with open(job["archive"], "wb+") as archive:  # noqa: PTH123
        builder.to_archive(archive)
    return {}


def _sign(job: dict[str, Any]) -> dict[str, Any]:
    with open(job["archive"], "rb") as archive:  # noqa: PTH123
        builder = Builder({}, _context()).with_archive(archive)
    with open(job["video"], "rb") as video, open(job["signed"], "wb+") as signed:  # noqa: PTH123
        builder.sign(_signer(job), "video/mp4", video, signed)
    return {}


def _signer(job: dict[str, Any]) -> Signer:
    """The signer, by whatever algorithm the key is for."""
    with open(job["certificate"], "rb") as file:  # noqa: PTH123
        certificate = file.read()
    with open(job["key"], "rb") as file:  # noqa: PTH123
        key = file.read()
    failures = []
    for algorithm in ALGORITHMS:
        try:
            authority = job["time_stamp"].encode() or None
            return Signer.from_info(C2paSignerInfo(algorithm, certificate, key, authority))
        except C2paError as error:
            failures.append(error)
    raise failures[0]


def _read(job: dict[str, Any]) -> dict[str, Any]:
    anchors = ""
    if job["trust"]:
        with open(job["trust"]) as file:  # noqa: PTH123
            anchors = file.read()
    with open(job["file"], "rb") as file:  # noqa: PTH123
        reader = Reader(job["format"], file, context=_context(anchors))
    found = json.loads(reader.json())
    manifest = found["manifests"][found["active_manifest"]]
    actions = [
        action
        for assertion in manifest.get("assertions", ())
        if assertion.get("label", "").startswith("c2pa.actions")
        for action in assertion["data"]["actions"]
    ]
    failures = found.get("validation_results", {}).get("activeManifest", {}).get("failure", ())
    generators: list[dict[str, Any]] = manifest.get("claim_generator_info") or []
    signature = manifest.get("signature_info", {})
    return {
        "state": str(reader.get_validation_state()),
        "manifests": len(found["manifests"]),
        "generator": _text(generators[0].get("name")) if generators else "",
        "signer": _text(signature.get("common_name") or signature.get("issuer")),
        "issuer": _text(signature.get("issuer")),
        "time": _text(signature.get("time")),
        "actions": [_text(action.get("action")) for action in actions[:MAX_ITEMS]],
        "sources": [_text(each) for each in dict.fromkeys(map(_source, actions)) if each][:MAX_ITEMS],
        "parent": any(each.get("relationship") == "parentOf" for each in manifest.get("ingredients", ())),
        "failures": [_text(failure.get("code")) for failure in failures[:MAX_ITEMS]],
    }


def _source(action: dict[str, Any]) -> str:
    return str(action.get("digitalSourceType") or "").rpartition("/")[2]


def _text(value: object) -> str:
    return "" if value is None else str(value)[:MAX_TEXT]


def _context(anchors: str = "") -> Context:
    """No manifest, certificate or revocation is fetched."""
    settings: dict[str, Any] = {
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": bool(anchors)},
        "builder": {"thumbnail": {"enabled": False}},
    }
    if anchors:
        settings["trust"] = {"user_anchors": anchors}
    return Context(Settings.from_dict(settings))


if __name__ == "__main__":
    try:
        answer = main(json.loads(sys.argv[2]))
    except C2paError as error:
        answer = {"error": str(error)[:1000]}
    except OSError as error:
        answer = {"error": f"{error.filename}: {error.strerror}"}
    sys.stdout.write(json.dumps(answer) + "\n")
