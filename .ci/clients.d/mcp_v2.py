"""The official Python SDK, versions 2. The variable MODE chooses the protocol: `auto`, which is the newest, or `legacy`."""

import os
from contextlib import asynccontextmanager

from common import play, result
from mcp import Client, StdioServerParameters, types


@asynccontextmanager
async def connect(transport, target, ask, patience):
    async def elicit(_, params):
        action, content = await ask(params.message, params.requested_schema)
        return types.ElicitResult(action=action, content=content)

    server = target[0] if transport == "http" else StdioServerParameters(command=target[0], args=target[1:])
    async with Client(server, mode=os.environ["MODE"], read_timeout_seconds=patience, elicitation_callback=elicit if ask else None) as client:

        async def list_tools():
            return [tool.name for tool in (await client.list_tools()).tools]

        async def call(name, arguments):
            answer = await client.call_tool(name, arguments)
            return result(answer.is_error, answer.content, answer.structured_content)

        yield list_tools, call


play(connect)
