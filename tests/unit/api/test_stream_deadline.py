"""Who is too slow, in a time that is told."""

from facecli.api.stream_deadline import MinRateDeadline

MIB = 1024 * 1024


class Client:
    """Sends messages and takes its time for each."""

    def __init__(self, *, idle: float = 30.0, min_rate: int = 32 * 1024, first: int = MIB) -> None:
        self.now = 0.0
        self.credit = MinRateDeadline(idle=idle, min_rate=min_rate, first=first, clock=lambda: self.now)

    def survives(self, message: int, *, after: float, times: int = 1, we_take: float = 0.0) -> bool:
        for _ in range(times):
            self.now += after
            if self.credit.expired():
                return False
            self.credit.received(message)
            self.now += we_take
            self.credit.begin()
        return True


def test_who_says_nothing_is_given_up_after_the_idle_limit() -> None:
    client = Client()
    assert client.survives(1000, after=1)
    client.now += 29
    assert not client.credit.expired()
    client.now += 2
    assert client.credit.expired()


def test_a_byte_now_and_then_does_not_keep_a_stream() -> None:
    assert not Client().survives(1, after=20, times=3)


def test_a_line_just_above_the_lowest_rate_is_kept_for_ever() -> None:
    assert Client().survives(512 * 1024, after=15.5, times=1000)


def test_a_line_below_the_lowest_rate_is_ended_in_time() -> None:
    assert not Client().survives(512 * 1024, after=20, times=10)


def test_a_message_of_ten_mebibytes_may_take_its_time() -> None:
    assert Client(first=10 * MIB).survives(10 * MIB, after=300, times=50)


def test_the_time_that_we_take_is_not_the_clients() -> None:
    assert Client().survives(1000, after=0.1, times=10, we_take=100)


def test_while_we_are_busy_nobody_is_idle() -> None:
    client = Client()
    client.credit.received(1)
    client.now += 1000
    assert not client.credit.expired()


def test_without_a_lowest_rate_only_silence_counts() -> None:
    assert Client(min_rate=0).survives(1, after=29, times=100)
    assert not Client(min_rate=0).survives(1, after=31)
