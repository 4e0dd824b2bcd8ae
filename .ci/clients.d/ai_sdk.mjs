// The AI SDK's MCP client, whose tools are called as a model would call them.

import { ElicitationRequestSchema, createMCPClient } from '@ai-sdk/mcp';
import { Experimental_StdioMCPTransport } from '@ai-sdk/mcp/mcp-stdio';
import { play } from './common.mjs';

await play(async (transport, target, ask, patience) => {
  const [command, ...args] = target;
  const client = await createMCPClient({
    transport: transport === 'http' ? { type: 'http', url: command } : new Experimental_StdioMCPTransport({ command, args }),
    capabilities: ask ? { elicitation: {} } : {},
    onUncaughtError: (error) => console.error(`WARNING onUncaughtError: ${error}`),
  });
  if (ask) client.onElicitationRequest(ElicitationRequestSchema, ({ params }) => ask(params));
  const tools = await client.tools();
  return {
    list: async () => Object.keys(tools),
    call: (name, args) => tools[name].execute(args, { toolCallId: '1', messages: [], abortSignal: AbortSignal.timeout(patience) }),
    close: () => client.close(),
  };
});
