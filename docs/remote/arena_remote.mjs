// A program that plays in the arena: one file, nothing but Node.
//
//   import { play } from "./arena_remote.mjs";
//   play((observation, message) => "[4]", { name: "bob", version: "1" });
//
//   node bob.mjs                 waits for calls: http://127.0.0.1:8080
//   node bob.mjs --port 9000     the same, elsewhere
//   node bob.mjs --dial http://127.0.0.1:8700/bob   asks the arena whether it is its turn
//   node bob.mjs --stdio         is started by the arena
//
// An agent may be async. One with a property `onEnd`, a function, is told how its games end. The secret, or the token of dialling, is read from the variable
// ARENA_SECRET. The protocol is described in docs/remote-agents.md.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROTOCOL = 1;
const SKEW = 300;

export async function answer(agent, { name, version }, message) {
  if (message.type === "hello")
    return { type: "hello", protocol: PROTOCOL, name, version, end: Boolean(agent.onEnd) };
  if (message.type === "end") {
    try {
      await agent.onEnd?.(message);
    } catch {
      // A result is told once, whatever comes of it.
    }
    return { type: "end", turn: message.turn };
  }
  if (message.type !== "observe") return { type: "error", message: `unknown type ${message.type}` };
  try {
    const action = await agent(message.observation, message);
    return { type: "act", turn: message.turn, action: String(action) };
  } catch (error) {
    return { type: "error", message: String(error).slice(0, 500) };
  }
}

export function isSigned(secret, headers, body) {
  const timestamp = headers["arena-timestamp"] ?? "";
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= SKEW)) return false;
  const right = createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest();
  const given = Buffer.from(headers["arena-signature"] ?? "", "hex");
  return given.length === right.length && timingSafeEqual(given, right);
}

export function server(agent, who, secret) {
  return createServer(async (request, response) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const body = Buffer.concat(pieces);
    const reply = (status, said) => {
      const text = Buffer.from(JSON.stringify(said));
      response.writeHead(status, {
        "Content-Type": "application/json",
        "Content-Length": text.length,
      });
      response.end(text);
    };
    if (secret !== undefined && !isSigned(secret, request.headers, body))
      return reply(401, { type: "error", message: "the signature is wrong" });
    let message;
    try {
      message = JSON.parse(body);
    } catch {
      return reply(400, { type: "error", message: "expected JSON" });
    }
    reply(200, await answer(agent, who, message));
  });
}

export async function stdio(agent, who) {
  for await (const line of createInterface({ input: process.stdin }))
    if (line.trim())
      process.stdout.write(`${JSON.stringify(await answer(agent, who, JSON.parse(line)))}\n`);
}

export async function dial(agent, who, address, token, patience = 60_000) {
  const hello = await answer(agent, who, { type: "hello" });
  for (let say = hello, seen = Date.now(); Date.now() - seen <= patience; ) {
    let response, heard;
    try {
      const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
      response = await fetch(address, { method: "POST", headers, body: JSON.stringify(say) });
      heard = await response.json();
    } catch {
      // Away, it says who it is when it is back; an answer that was lost is asked for again.
      await new Promise((later) => setTimeout(later, 200));
      say = hello;
      continue;
    }
    if (!response.ok) throw new Error(`${address}: HTTP ${response.status}: ${heard.message}`);
    [say, seen] = [hello, Date.now()];
    if (heard.type === "observe" || heard.type === "end")
      say = { ...(await answer(agent, who, heard)), turn: heard.turn };
  }
}

export function play(agent, who) {
  const words = process.argv.slice(2);
  const after = (name, usual) => (words.includes(name) ? words[words.indexOf(name) + 1] : usual);
  if (words.includes("--stdio")) return stdio(agent, who);
  if (words.includes("--dial"))
    return dial(agent, who, after("--dial"), process.env.ARENA_SECRET ?? "");
  const host = after("--host", "127.0.0.1");
  const made = server(agent, who, process.env.ARENA_SECRET);
  made.listen(Number(after("--port", 8080)), host, () =>
    console.error(`${who.name} waits at http://${host}:${made.address().port}`),
  );
}

// An agent to begin with: takes the last [option] that it was offered.
export const lastOption = (observation) => observation.match(/\[[^\]\s]+\]/g)?.at(-1) ?? "[0]";

if (process.argv[1] === fileURLToPath(import.meta.url))
  play(lastOption, { name: "last-option", version: "1" });
