"""OpenAI's agents SDK, which has no elicitation."""

from contextlib import asynccontextmanager

from agents import Agent, RunContextWrapper
from agents.mcp import MCPServerStdio, MCPServerStreamableHttp, MCPUtil
from common import play, result


@asynccontextmanager
async def connect(transport, target, ask, patience):
    kind, params = (MCPServerStreamableHttp, {"url": target[0]}) if transport == "http" else (MCPServerStdio, {"command": target[0], "args": target[1:]})
    async with kind(params, client_session_timeout_seconds=patience) as server:

        async def list_tools():
            # As an agent does before it asks its model, with the strict schemas that OpenAI's models want.
            context, agent = RunContextWrapper(None), Agent(name="clients")
            tools = await MCPUtil.get_all_function_tools([server], True, context, agent)
            return [tool.name for tool in tools if tool.strict_json_schema]

        async def call(name, arguments):
            answer = await server.call_tool(name, arguments)
            return result(answer.is_error, answer.content, answer.structured_content)

        yield list_tools, call


play(connect)
