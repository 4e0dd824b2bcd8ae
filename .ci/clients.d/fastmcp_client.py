"""The client of FastMCP, which also reads results into types that it makes of the output schemas."""

from contextlib import asynccontextmanager

from common import play, result
from fastmcp import Client
from fastmcp.client.elicitation import ElicitResult
from fastmcp.client.transports import StdioTransport


@asynccontextmanager
async def connect(transport, target, ask, patience):
    async def elicit(message, response_type, params, context):
        action, content = await ask(message, params.requested_schema)
        return response_type(**content) if content else ElicitResult(action=action)

    server = target[0] if transport == "http" else StdioTransport(command=target[0], args=target[1:])
    async with Client(server, timeout=patience, elicitation_handler=elicit if ask else None) as client:

        async def list_tools():
            return [tool.name for tool in await client.list_tools()]

        async def call(name, arguments):
            answer = await client.call_tool(name, arguments, raise_on_error=False)
            if not answer.is_error and answer.data is None:
                raise ValueError(f"{name}: the result was not read into its type")
            return result(answer.is_error, answer.content, answer.structured_content)

        yield list_tools, call


play(connect)
