"""What the Python clients have in common: the session that each plays, and the warnings that each prints.

A client is run as `CLIENT.py ANSWER TRANSPORT TARGET…`, and prints what it saw as one JSON document.
"""

import asyncio
import json
import logging
import sys
import warnings

LOCKER = ("get-user-locker", {"pageSize": 50})
PURCHASE = ("purchase-user-item", {"releaseId": "11700062"})


class OneLine(logging.Formatter):
    def format(self, record):
        return super().format(record).replace("\n", " | ")


def show_warnings():
    """Every warning and every log record from WARNING up is one line on stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.captureWarnings(True)
    warnings.simplefilter("always")


def result(failed, content, structured):
    """A tool's result in one notation, from that of any client: `content` is a list of content blocks."""
    blocks = [block if isinstance(block, dict) else block.model_dump() for block in content]
    return {"failed": bool(failed), "texts": [block.get("text") for block in blocks], "structured": structured}


async def session(connect, answer, transport, target):
    asked, patience = [], 3 if answer == "silent" else 30

    async def ask(message, schema):
        """The user. Gives the action and the content of an answer."""
        asked.append(message)
        if answer == "yes":
            return "accept", {name: True for name in schema["properties"]}
        if answer == "no":
            return "decline", None
        # The question stands until the client has given up, and is then closed. Some clients read nothing while it stands.
        await asyncio.sleep(patience + 2)
        return "cancel", None

    async with connect(transport, target, None if answer == "absent" else ask, patience) as (list_tools, call):
        tools = await list_tools()
        before = await call(*LOCKER)
        try:
            # A client without a timeout of its own is stopped by its user.
            bought = await asyncio.wait_for(call(*PURCHASE), patience + 1)
        except Exception as error:
            bought = {"failed": True, "gave_up": f"{type(error).__name__}: {error}", "texts": [], "structured": None}
        after = await call(*LOCKER)
        if answer == "silent":
            # What comes late is still read.
            await asyncio.sleep(1)
    return {"tools": tools, "asked": asked, "before": before, "bought": bought, "after": after}


def play(connect):
    """Plays the session. `connect(transport, target, ask, patience)` is the client: an asynchronous context of two functions.

    `ask` is None where the client is to have no elicitation; `patience` is the client's timeout in seconds.
    """
    answer, transport, *target = sys.argv[1:]
    print(json.dumps(asyncio.run(session(connect, answer, transport, target))), flush=True)


# Importing the client's library may already warn.
show_warnings()
