"""The deadline of a stream, on a fake clock."""

from facecli.api.stream_deadline import MinRateDeadline

MIB = 1024 * 1024


class Client:
    """A client that sends messages at given intervals."""

    def __init__(self, *, idle: float = 30.0, min_rate: int = 32 * 1024, first: int = MIB) -> None:
        self.now = 0.0
        self.deadline = MinRateDeadline(idle=idle, min_rate=min_rate, first=first, clock=lambda: self.now)

    def survives(self, message: int, *, after: float, times: int = 1, server_takes: float = 0.0) -> bool:
        for _ in range(times):
            self.now += after
            if self.deadline.expired():
                return False
            self.deadline.received(message)
            self.now += server_takes
            self.deadline.begin()
        return True


def test_an_idle_client_expires_after_the_idle_timeout() -> None:
    client = Client()
    assert client.survives(1000, after=1)
    client.now += 29
    assert not client.deadline.expired()
    client.now += 2
    assert client.deadline.expired()


def test_a_dripping_client_expires() -> None:
    assert not Client().survives(1, after=20, times=3)


def test_a_client_just_above_the_minimum_rate_never_expires() -> None:
    assert Client().survives(512 * 1024, after=15.5, times=1000)


def test_a_client_below_the_minimum_rate_expires() -> None:
    assert not Client().survives(512 * 1024, after=20, times=10)


def test_a_large_message_gets_the_time_that_it_takes() -> None:
    assert Client(first=10 * MIB).survives(10 * MIB, after=300, times=50)


def test_time_spent_by_the_server_is_not_counted() -> None:
    assert Client().survives(1000, after=0.1, times=10, server_takes=100)


def test_a_client_is_not_idle_while_the_server_is_busy() -> None:
    client = Client()
    client.deadline.received(1)
    client.now += 1000
    assert not client.deadline.expired()


def test_without_a_minimum_rate_only_the_idle_timeout_counts() -> None:
    assert Client(min_rate=0).survives(1, after=29, times=100)
    assert not Client(min_rate=0).survives(1, after=31)
