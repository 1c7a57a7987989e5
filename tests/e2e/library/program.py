"""Swap a face from Python: python swap.py FACE VIDEO OUT"""

import sys

import facecli


def show(state: facecli.Transfer | facecli.Task) -> None:
    if isinstance(state, facecli.Transfer):
        print(f"{state.name}: {state.stored} of {state.total} bytes {state.waiting}")
    else:
        print(f"{state.status} {state.stage}: {state.progress} %")


def swap(client: facecli.Client, face: str, video: str, out: str) -> int:
    try:
        task = client.swap(face, video, out, progress=show)
    except facecli.TaskUnsuccessful as error:
        print(error.message, error.hint)
        return 3
    except facecli.FacecliError as error:
        again = "; try again later" if error.retryable else ""
        print(f"{error.reason}: {error.message}{again}. {error.hint}")
        return 1
    print(f"{out} is the result of task {task.id} by {task.engine}, {task.result_size} bytes")
    return 0


def step_by_step(client: facecli.Client, face: str, video: str, out: str) -> None:
    image, clip = client.upload(face), client.upload(video)
    agreed = "I agree. Grace, 2026-11-24"
    task = client.tasks.create(image, clip, begin=0.2, end=0.7, key="order-4711", consent=agreed)
    for state in client.tasks.watch(task, timeout=3600):
        print(state.frames_done, state.frames)
    print(client.download(client.tasks.get(task), out))
    print(client.tasks.provenance(task)["consent"])
    client.tasks.delete(task)
    client.uploads.delete(clip)


if __name__ == "__main__":
    with facecli.connect() as connected:
        sys.exit(swap(connected, *sys.argv[1:4]))
