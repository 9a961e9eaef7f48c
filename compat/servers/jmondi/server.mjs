// @jmondi/oauth2-server by its adapter for the Fetch API, with its tokens in memory.
import { randomUUID } from "node:crypto";
import http from "node:http";
import { AuthorizationServer } from "@jmondi/oauth2-server";
import * as vanilla from "@jmondi/oauth2-server/vanilla";
import { clients, listen, ready, send, textOf } from "../common.mjs";

const SCOPES = ["read", "write"];
const tokens = new Map();

const clientRepository = {
  async getByIdentifier(id) {
    const client = clients.get(id);
    const settings = { name: id, redirectUris: [], allowedGrants: [client?.grant], scopes: [] };
    return client && { ...client, ...settings };
  },
  async isClientValid(grant, client, secret) {
    return client.secret === secret && client.allowedGrants.includes(grant);
  },
};
const tokenRepository = {
  async issueToken(client, scopes) {
    return { accessToken: randomUUID(), client, scopes };
  },
  async persist(token) {
    token.accessTokenExpiresAt = new Date(Date.now() + 1000 * token.client.lifetime);
    tokens.set(token.accessToken, token);
  },
  async revoke(token) {
    tokens.delete(token.accessToken);
  },
  async getByAccessToken(id) {
    return tokens.get(id);
  },
};
const scopeRepository = {
  async getAllByIdentifiers(names) {
    return names.filter((name) => SCOPES.includes(name)).map((name) => ({ name }));
  },
  async finalize(scopes) {
    return scopes;
  },
};

const repositories = [clientRepository, tokenRepository, scopeRepository];
const oauth = new AuthorizationServer(...repositories, randomUUID());
oauth.enableGrantType("client_credentials");
const endpoints = {
  "/token": (request) => oauth.respondToAccessTokenRequest(request),
  "/introspect": (request) => oauth.introspect(request),
  "/revoke": (request) => oauth.revoke(request),
};

async function answer(url, { method, headers }, body) {
  try {
    const request = await vanilla.requestFromVanilla(new Request(url, { method, headers, body }));
    return vanilla.responseToVanilla(await endpoints[new URL(url).pathname](request));
  } catch (error) {
    return vanilla.responseToVanilla(vanilla.handleVanillaError(error));
  }
}

const server = http.createServer(async (incoming, outgoing) => {
  if (!endpoints[incoming.url]) return send(outgoing, 404);
  const url = `http://127.0.0.1${incoming.url}`;
  const response = await answer(url, incoming, await textOf(incoming));
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(await response.text());
});
ready(await listen(server));
