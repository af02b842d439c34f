"""Signed webhooks at one web process: at its own pace, and offered by the clock whether it keeps up or not."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

from bench.client import Connection, connect

PATH = "/webhooks/sandbox/"
MARK = "evt_bench_"
CONNECTIONS = 1000
"""How many a gateway opens at most; a message that finds none free waits, and its time runs."""
NO_ANSWER = 0
PATIENCE_S = 30


@dataclass(frozen=True, slots=True)
class Signed:
    """A message as a gateway sends it."""

    event_id: str
    body: bytes
    headers: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message. `seconds` from the moment it was due."""

    event_id: str
    status: int
    seconds: float


def signed_messages(count: int) -> list[Signed]:
    """Messages of the sandbox, of its shape and signed with its secret now, about payments that are not ours."""
    from backend.payments.models import SandboxCharge
    from backend.payments.sandbox import charges, signing
    from backend.payments.sandbox.scenarios import Delivery

    made = []
    for _ in range(count):
        charge = SandboxCharge(id=f"ch_{uuid4().hex}", merchant_reference=str(uuid4()), amount=4500, currency="USD")
        event_id = MARK + uuid4().hex
        body = charges.message(charge, Delivery(event_id=event_id, state="SUCCEEDED"))
        made.append(Signed(event_id, body, f"{signing.HEADER}: {signing.sign(body)}\r\n".encode()))
    return made


def webhook_url(graphql_url: str) -> str:
    return f"http://{urlsplit(graphql_url).netloc}{PATH}"


async def at_its_own_pace(url: str, messages: Sequence[Signed], clients: int) -> list[Outcome]:
    """Each of `clients` sends its next message when the last is answered: what the process can take."""
    queue, outcomes = list(messages), []

    async def work() -> None:
        connection = await connect(url)
        while queue:
            message = queue.pop()
            began = time.perf_counter()
            answer = await connection.post(message.body, message.headers)
            outcomes.append(Outcome(message.event_id, answer.status, time.perf_counter() - began))

    await asyncio.gather(*(work() for _ in range(clients)))
    return outcomes


async def by_the_clock(url: str, messages: Sequence[Signed], per_second: float) -> list[Outcome]:
    """Offer messages at a rate, whatever comes back. What is not answered is told as NO_ANSWER."""
    free: list[Connection] = []
    places = asyncio.Semaphore(CONNECTIONS)
    began = time.perf_counter()

    async def send(message: Signed, due: float) -> Outcome:
        status = NO_ANSWER
        try:
            async with places:
                while free and not free[-1].is_open:
                    free.pop()
                connection = free.pop() if free else await connect(url)
                async with asyncio.timeout(PATIENCE_S):
                    status = (await connection.post(message.body, message.headers)).status
                free.append(connection)
        except (OSError, TimeoutError):
            pass  # as a gateway sees it: it sends the message again later
        return Outcome(message.event_id, status, time.perf_counter() - due)

    tasks = []
    for n, message in enumerate(messages):
        due = began + n / per_second
        wait = due - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(send(message, due)))
    return list(await asyncio.gather(*tasks))


def kept(outcomes: Sequence[Outcome]) -> set[str]:
    """Of the messages, the ids of those that are stored as authentic and announced to the workers."""
    from backend.core.models import OutboxEvent
    from backend.payments.models import WebhookMessage, WebhookState

    ids = [outcome.event_id for outcome in outcomes]
    stored = WebhookMessage.objects.filter(event_id__in=ids, state=WebhookState.VERIFIED)
    found = {str(pk): event_id for pk, event_id in stored.values_list("pk", "event_id")}
    told = OutboxEvent.objects.filter(topic="webhook.received", key__in=list(found)).values_list("key", flat=True)
    return {found[key] for key in told}
