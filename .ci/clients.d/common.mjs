// What the clients on Node have in common: the session that each plays, as common.py has it for Python.

const LOCKER = ['get-user-locker', { pageSize: 50 }];
const PURCHASE = ['purchase-user-item', { releaseId: '11700062' }];
const [answer, transport, ...target] = process.argv.slice(2);
const patience = answer === 'silent' ? 3000 : 30000;
const asked = [];

const sleep = (time) => new Promise((done) => setTimeout(done, time));

// The user. Gives the result of an elicitation.
async function ask({ message, requestedSchema }) {
  asked.push(message);
  if (answer === 'yes') {
    return { action: 'accept', content: Object.fromEntries(Object.keys(requestedSchema.properties).map((name) => [name, true])) };
  }
  if (answer === 'no') return { action: 'decline' };
  // The question stands until the client has given up, and is then closed.
  await sleep(patience + 2000);
  return { action: 'cancel' };
}

// A tool's result in the notation of common.py.
const result = ({ isError, content, structuredContent }) => ({
  failed: Boolean(isError),
  texts: content.map((block) => block.text),
  structured: structuredContent ?? null,
});

// Plays the session. `connect(transport, target, ask, patience)` gives the functions `list`, `call` and `close` of the client.
export async function play(connect) {
  const { list, call, close } = await connect(transport, target, answer === 'absent' ? undefined : ask, patience);
  const tools = await list();
  const before = result(await call(...LOCKER));
  const bought = await call(...PURCHASE).then(result, (error) => ({ failed: true, gave_up: String(error), texts: [], structured: null }));
  const after = result(await call(...LOCKER));
  if (answer === 'silent') await sleep(3000);
  await close();
  console.log(JSON.stringify({ tools, asked, before, bought, after }));
}
