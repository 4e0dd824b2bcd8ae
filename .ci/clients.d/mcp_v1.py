"""The official Python SDK, versions 1."""

from contextlib import asynccontextmanager
from datetime import timedelta

from common import play, result
from mcp import ClientSession, StdioServerParameters, types
from mcp.client import streamable_http
from mcp.client.stdio import stdio_client

# The second name is that of old versions, and deprecated in new ones.
http_client = getattr(streamable_http, "streamable_http_client", None) or streamable_http.streamablehttp_client


@asynccontextmanager
async def connect(transport, target, ask, patience):
    async def elicit(_, params):
        action, content = await ask(params.message, params.requestedSchema)
        return types.ElicitResult(action=action, content=content)

    streams = http_client(*target) if transport == "http" else stdio_client(StdioServerParameters(command=target[0], args=target[1:]))
    async with streams as (read, write, *_):
        async with ClientSession(read, write, timedelta(seconds=patience), elicitation_callback=elicit if ask else None) as session:
            await session.initialize()

            async def list_tools():
                return [tool.name for tool in (await session.list_tools()).tools]

            async def call(name, arguments):
                answer = await session.call_tool(name, arguments)
                return result(answer.isError, answer.content, answer.structuredContent)

            yield list_tools, call


play(connect)
