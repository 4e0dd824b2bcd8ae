"""Google's ADK: an agent whose model is a function that makes one call."""

from contextlib import asynccontextmanager

from common import play, result
from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm, LlmResponse
from google.adk.runners import InMemoryRunner
from google.adk.tools.mcp_tool import McpToolset, StdioConnectionParams, StreamableHTTPConnectionParams
from google.genai.types import Content, GenerateContentResponseUsageMetadata, Part
from mcp import StdioServerParameters, types


class Scripted(BaseLlm):
    """Answers with `parts` once, then ends; keeps the names of the tools that it was offered."""

    parts: list[Part]
    offered: list[str] = []

    async def generate_content_async(self, llm_request, stream=False):
        self.offered = list(llm_request.tools_dict)
        parts, self.parts = self.parts or [Part(text="done")], []
        usage = GenerateContentResponseUsageMetadata(prompt_token_count=1, candidates_token_count=1)
        yield LlmResponse(content=Content(role="model", parts=parts), usage_metadata=usage)


@asynccontextmanager
async def connect(transport, target, ask, patience):
    async def elicit(_, params):
        action, content = await ask(params.message, params.requested_schema)
        return types.ElicitResult(action=action, content=content)

    if transport == "http":
        params = StreamableHTTPConnectionParams(url=target[0], sse_read_timeout=patience)
    else:
        params = StdioConnectionParams(server_params=StdioServerParameters(command=target[0], args=target[1:]), timeout=patience)
    toolset = McpToolset(connection_params=params, elicitation_callback=elicit if ask else None)

    async def run(*parts):
        """A run of an agent. Gives the tools that its model was offered, and what the tools answered."""
        model = Scripted(model="scripted", parts=list(parts))
        runner = InMemoryRunner(agent=LlmAgent(name="clients", model=model, tools=[toolset]), app_name="clients")
        session = await runner.session_service.create_session(app_name="clients", user_id="1")
        message = Content(role="user", parts=[Part(text="Go on.")])
        events = [event async for event in runner.run_async(user_id="1", session_id=session.id, new_message=message)]
        return model.offered, [answer.response for event in events for answer in event.get_function_responses()]

    async def list_tools():
        return (await run())[0]

    async def call(name, arguments):
        [answer] = (await run(Part.from_function_call(name=name, args=arguments)))[1]
        if "content" not in answer:
            return result(True, [{"text": str(answer)}], None)
        return result(answer.get("isError"), answer["content"], answer.get("structuredContent"))

    try:
        yield list_tools, call
    finally:
        await toolset.close()


play(connect)
