// @node-oauth/oauth2-server with its tokens in memory, and a resource that it protects.
import http from "node:http";
import OAuth2Server from "@node-oauth/oauth2-server";
import { clients, formOf, listen, ready, send } from "../common.mjs";

const SCOPES = ["read", "write"];
const tokens = new Map();

const model = {
  async getClient(id, secret) {
    const client = clients.get(id);
    if (!client || client.secret !== secret) return false;
    return { id, grants: [client.grant], accessTokenLifetime: client.lifetime };
  },
  async getUserFromClient() {
    return {};
  },
  async validateScope(user, client, scope) {
    return (scope ?? []).every((name) => SCOPES.includes(name)) && (scope ?? ["read"]);
  },
  async saveToken(token, client, user) {
    tokens.set(token.accessToken, { ...token, client, user });
    return tokens.get(token.accessToken);
  },
  async getAccessToken(value) {
    return tokens.get(value);
  },
};

const oauth = new OAuth2Server({ model });
const endpoints = {
  "/token": (request, response) => oauth.token(request, response),
  "/resource": (request, response) => oauth.authenticate(request, response),
  // The library has no endpoint for this: whoever uses it deletes the token.
  "/revoke": (request) => tokens.delete(request.body.token),
};

const server = http.createServer(async (incoming, outgoing) => {
  const { method, headers, url } = incoming;
  if (!endpoints[url]) return send(outgoing, 404);
  const body = await formOf(incoming);
  const request = new OAuth2Server.Request({ method, headers, query: {}, body });
  const response = new OAuth2Server.Response();
  try {
    await endpoints[url](request, response);
  } catch (error) {
    response.status = error.code ?? 500;
    response.body.error ??= error.name;
  }
  send(outgoing, response.status, response.headers, response.body);
});
ready(await listen(server));
