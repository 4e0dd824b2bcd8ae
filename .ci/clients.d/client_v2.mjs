// The official TypeScript SDK, versions 2, in the newest protocol that the server has.

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { play } from './common.mjs';

await play(async (transport, target, ask, timeout) => {
  const client = new Client(
    { name: 'clients', version: '1' },
    { capabilities: ask ? { elicitation: { form: {} } } : {}, versionNegotiation: { mode: 'auto' } },
  );
  client.onerror = (error) => console.error(`WARNING onerror: ${error}`);
  if (ask) client.setRequestHandler('elicitation/create', ({ params }) => ask(params));
  const [command, ...args] = target;
  await client.connect(transport === 'http' ? new StreamableHTTPClientTransport(new URL(command)) : new StdioClientTransport({ command, args }));
  return {
    list: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: (name, args) => client.callTool({ name, arguments: args }, { timeout }),
    close: () => client.close(),
  };
});
