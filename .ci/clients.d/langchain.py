"""LangChain's adapters, which turn MCP tools into tools of LangChain."""

from contextlib import asynccontextmanager
from datetime import timedelta

from common import play, result
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_mcp_adapters.callbacks import Callbacks
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from mcp.types import ElicitResult


@asynccontextmanager
async def connect(transport, target, ask, patience):
    async def elicit(_, params, context):
        action, content = await ask(params.message, params.requestedSchema)
        return ElicitResult(action=action, content=content)

    callbacks = Callbacks(on_elicitation=elicit) if ask else Callbacks()
    server = {"transport": "http", "url": target[0]} if transport == "http" else {"transport": "stdio", "command": target[0], "args": target[1:]}
    server["session_kwargs"] = {"read_timeout_seconds": timedelta(seconds=patience)}
    client = MultiServerMCPClient({"sevendigital": server}, callbacks=callbacks)
    # By default each call has a session of its own, which on stdio is a server of its own, with a sandbox of its own.
    async with client.session("sevendigital") as session:
        tools = {tool.name: tool for tool in await (client.get_tools() if transport == "http" else load_mcp_tools(session))}

        async def list_tools():
            # As a model of OpenAI's would be told of them.
            return [tool.name for tool in tools.values() if convert_to_openai_tool(tool)["function"]["description"]]

        async def call(name, arguments):
            message = await tools[name].ainvoke({"type": "tool_call", "id": "1", "name": name, "args": arguments})
            structured = (message.artifact or {}).get("structured_content")
            return result(message.status == "error", message.content if isinstance(message.content, list) else [{"text": message.content}], structured)

        yield list_tools, call


play(connect)
