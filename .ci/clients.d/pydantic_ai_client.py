"""Pydantic AI: an agent whose model is a function that makes one call."""

from contextlib import asynccontextmanager

from common import play, result
from fastmcp.client.elicitation import ElicitResult
from fastmcp.client.transports import StdioTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel


@asynccontextmanager
async def connect(transport, target, ask, patience):
    async def elicit(message, response_type, params, context):
        action, content = await ask(message, params.requested_schema)
        return content or ElicitResult(action=action)

    server = target[0] if transport == "http" else StdioTransport(command=target[0], args=target[1:])
    toolset = MCPToolset(server, read_timeout=patience, elicitation_handler=elicit if ask else None)
    async with toolset:

        async def run(*parts):
            """A run of an agent whose model answers with these parts and then ends. Gives what the model last saw."""
            seen = []

            def model(messages, info):
                seen.append((messages[-1].parts[-1], info.function_tools))
                return ModelResponse([TextPart("done")] if len(seen) > 1 or not parts else list(parts))

            await Agent(FunctionModel(model), toolsets=[toolset]).run("Go on.")
            return seen[-1]

        async def list_tools():
            return [tool.name for tool in (await run())[1]]

        async def call(name, arguments):
            part, _ = await run(ToolCallPart(name, arguments))
            if part.outcome == "success":
                return result(False, [], part.content)
            return result(True, [{"text": part.content}], None)

        yield list_tools, call


play(connect)
