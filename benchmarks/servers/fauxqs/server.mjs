// fauxqs on a free loopback port, with the ledger that servers/stub.py keeps too.
import { buildApp } from "fauxqs";

const HELD_POLL = 1000; // ms that even a short poll waits while receives are held

const app = buildApp({ logger: false });
const now = () => Number(process.hrtime.bigint()) / 1e9;
const nameOf = (body) => body.QueueName ?? (body.QueueUrl ?? "").split("/").pop();

let counts = {};
let queues = {};
let held = false;
let releasedAt = 0;
let waiting = new Set();

const ledgerOf = (name) => (queues[name] ??= { sent: [], deleted: 0, deleted_at: 0 });

function release() {
  held = false;
  counts = {};
  releasedAt = now();
  for (const go of waiting) go(true);
  waiting.clear();
}

// True when released, false when the poll's own time was over first.
const released = (milliseconds) =>
  new Promise((resolve) => {
    const timer = setTimeout(() => { waiting.delete(go); resolve(false); }, milliseconds);
    const go = () => { clearTimeout(timer); resolve(true); };
    waiting.add(go);
  });

app.addHook("preHandler", async (request, reply) => {
  const operation = request.headers["x-amz-target"]?.split(".").pop();
  if (!operation) return;
  const body = request.body ?? {};
  // It knows a queue by a URL whose host not every machine can resolve; clients are given one that all can.
  if (body.QueueUrl) body.QueueUrl = `http://sqs.us-east-1.localhost:${app.server.address().port}/000000000000/${nameOf(body)}`;
  counts[operation] = (counts[operation] ?? 0) + 1;
  // A poll cannot be cut short in there, and who drains waits for it.
  if (operation === "ReceiveMessage") body.WaitTimeSeconds = Math.min(body.WaitTimeSeconds ?? 0, 1);
  if (operation === "ReceiveMessage" && held) {
    if (!(await released(Math.max(HELD_POLL, (body.WaitTimeSeconds ?? 0) * 1000)))) return reply.send({});
    counts[operation] = (counts[operation] ?? 0) + 1;
  } else if (operation === "SendMessage" || operation === "SendMessageBatch") {
    const ledger = ledgerOf(nameOf(body));
    for (const entry of body.Entries ?? [body]) ledger.sent.push([now(), entry.MessageBody]);
  } else if (operation === "DeleteMessage" || operation === "DeleteMessageBatch") {
    const ledger = ledgerOf(nameOf(body));
    ledger.deleted += body.Entries?.length ?? 1;
    ledger.deleted_at = now();
  }
});

app.get("/_bench/:what", async (request) => {
  switch (request.params.what) {
    case "reset": counts = {}; queues = {}; return {};
    case "hold": held = true; return {};
    case "end":
    case "release": release(); return {};
    case "progress":
      return Object.fromEntries(Object.entries(queues).map(([name, it]) => [name, [it.deleted, it.sent.length]]));
    default: return { counts, problems: [], released_at: releasedAt, queues };
  }
});

await app.listen({ port: 0, host: "127.0.0.1" });
console.log(app.server.address().port);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
