// What the programs share: the clients they are told of, reading a form, and a port of their own.
import { readFileSync } from "node:fs";

export const told = JSON.parse(readFileSync(process.argv[2], "utf8"));
export const clients = new Map(told.clients.map((client) => [client.id, client]));

export async function textOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}

export async function formOf(request) {
  return Object.fromEntries(new URLSearchParams(await textOf(request)));
}

export function send(response, status, headers = {}, body = undefined) {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(body === undefined ? "" : JSON.stringify(body));
}

// Takes a free port of this machine, and gives the URL.
export async function listen(server) {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `${told.tls ? "https" : "http"}://127.0.0.1:${server.address().port}`;
}

// Says that requests may come, and ends when the starter does, which holds standard input open.
export function ready(url) {
  console.log(`listening on ${url}`);
  process.stdin.on("end", () => process.exit()).resume();
}
