// The official TypeScript SDK. It also drives mcp-remote, as any client on stdio would.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { play } from './common.mjs';

await play(async (transport, target, ask, timeout) => {
  const client = new Client({ name: 'clients', version: '1' }, { capabilities: ask ? { elicitation: {} } : {} });
  client.onerror = (error) => console.error(`WARNING onerror: ${error}`);
  if (ask) client.setRequestHandler(ElicitRequestSchema, ({ params }) => ask(params));
  const [command, ...args] = target;
  await client.connect(transport === 'http' ? new StreamableHTTPClientTransport(new URL(command)) : new StdioClientTransport({ command, args }));
  return {
    list: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: (name, args) => client.callTool({ name, arguments: args }, undefined, { timeout }),
    close: () => client.close(),
  };
});
