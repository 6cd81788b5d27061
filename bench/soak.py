"""A server under full load for a long time: does it grow? `make soak SOAK_MINUTES=120`, on SQLite in a folder that is thrown away.

Senders talk as fast as they are answered, open new conversations and file tickets; now and then one leaves a stream of events.
Resident memory, open files and turns are sampled; what is compared in the end are the first and the last fifth after the warm-up.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp

from bench.load import OwnChannel, client_for
from bench.messages import distinct_messages
from bench.processes import Server, free_port, running
from bench.systems import PROJECT, WORK, inherited

SENDERS = 16
WARM_UP_SHARE = 0.2
LARGEST_GROWTH_MB = 64
LARGEST_GROWTH_FILES = 32
MESSAGES = 1_500
TURNS_A_CONVERSATION = 20
FORM = ("saya ingin menyampaikan aspirasi", "ya", "{}", "pendidikan", "lewati", "lewati", "lewati", "lewati", "ya")
STREAM_EVERY = 5
"""So many conversations: one of them listens to its events for a moment."""


@dataclass(frozen=True)
class Sample:
    seconds: float
    """Since the load began."""
    memory_mb: float
    open_files: int
    turns: int
    failed: int


class Load:
    def __init__(self, url: str) -> None:
        self._channel = OwnChannel(url)
        self._texts = distinct_messages(MESSAGES)
        self._said = 0
        self.turns = self.failed = 0

    async def talk(self, client: aiohttp.ClientSession, number: int) -> None:
        """Until it is cancelled."""
        conversations = 0
        while True:
            token = await self._channel.open(client)
            conversations += 1
            said = [self._next_text() for _ in range(TURNS_A_CONVERSATION)]
            if conversations % 3 == number % 3:
                said += [text.format(f"Tolong perhatikan hal ini di daerah kami: {self._next_text()}") for text in FORM]
            if conversations % STREAM_EVERY == 0:
                await self._listen(client, token)
            for text in said:
                answered = False
                with suppress(aiohttp.ClientError, TimeoutError):
                    answered = await self._channel.send(client, token, text)
                self.turns += 1
                self.failed += not answered

    def _next_text(self) -> str:
        """Another each time, so that no cache answers for it."""
        self._said += 1
        return f"{self._texts[self._said % MESSAGES]} {self._said // MESSAGES or ''}".rstrip()

    async def _listen(self, client: aiohttp.ClientSession, token: str) -> None:
        """Open a stream and cut it, as a closed tab does."""
        with suppress(aiohttp.ClientError, TimeoutError):
            headers = {"Authorization": f"Bearer {token}"}
            async with client.get(f"{self._channel.url}/api/chat/events", headers=headers) as stream:
                await stream.content.readany()


async def soak(server: Server, url: str, minutes: float, every: float) -> list[Sample]:
    load, samples, started = Load(url), [], time.monotonic()
    async with client_for(2 * SENDERS) as client:
        senders = [asyncio.create_task(load.talk(client, number)) for number in range(SENDERS)]
        while (seconds := time.monotonic() - started) < 60 * minutes:
            await asyncio.sleep(min(every, 60 * minutes - seconds))
            for sender in senders:
                if sender.done():
                    sender.result()  # raises what ended it
            seconds = round(time.monotonic() - started, 1)
            samples.append(Sample(seconds, server.memory_mb, open_files(server.pid), load.turns, load.failed))
            print(json.dumps(asdict(samples[-1])), flush=True)
        for sender in senders:
            sender.cancel()
        await asyncio.gather(*senders, return_exceptions=True)
    return samples


def open_files(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def verdict(samples: list[Sample]) -> dict[str, float]:
    """Medians of the last fifth less those of the first fifth after the warm-up, and how much was done."""
    warm = samples[int(len(samples) * WARM_UP_SHARE) :]
    fifth = max(1, len(warm) // 5)

    def growth(name: str) -> float:
        first, last = ([getattr(sample, name) for sample in some] for some in (warm[:fifth], warm[-fifth:]))
        return round(statistics.median(last) - statistics.median(first), 1)

    end = samples[-1]
    return {
        "minutes": round(end.seconds / 60, 1),
        "turns": end.turns,
        "failed": end.failed,
        "turns_per_second": round(end.turns / end.seconds, 1),
        "memory_mb_at_the_end": end.memory_mb,
        "memory_mb_most": max(sample.memory_mb for sample in samples),
        "memory_mb_grown": growth("memory_mb"),
        "open_files_grown": growth("open_files"),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--every", type=float, default=10, help="seconds between two samples")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server is ended, too
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK, prefix="soak-") as folder:
        own = {"SAPA_DATA_DIR": folder, "PORT": str(port), "SAPA_LIMITS": "off"}
        command = [Path(sys.executable).with_name("sapa"), "serve"]
        server = Server(command, inherited() | own, PROJECT, f"{url}/readyz", WORK / "soak.log")
        with running([server]):
            samples = asyncio.run(soak(server, url, given.minutes, given.every))
        found = verdict(samples)
        kept = sum(path.stat().st_size for path in Path(folder).iterdir() if path.is_file())
    print(json.dumps(found | {"database_mb": round(kept / 1e6, 1)}))
    grown = found["memory_mb_grown"] > LARGEST_GROWTH_MB or found["open_files_grown"] > LARGEST_GROWTH_FILES
    return int(grown or found["failed"] > 0)


if __name__ == "__main__":
    sys.exit(main())
