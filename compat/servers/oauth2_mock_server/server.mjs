// oauth2-mock-server, which takes any client. Its events give some clients shorter tokens.
import { OAuth2Server } from "oauth2-mock-server";
import { clients, ready } from "../common.mjs";

const lifetimeFor = (request) => clients.get(request.body.client_id)?.lifetime ?? 600;

const server = new OAuth2Server();
await server.issuer.keys.generate("RS256");
server.service.on("beforeTokenSigning", (token, request) => {
  token.payload.exp = token.payload.iat + lifetimeFor(request);
  token.payload.jti = crypto.randomUUID(); // else two tokens of one second are the same
});
server.service.on("beforeResponse", (response, request) => {
  response.body.expires_in = lifetimeFor(request);
});
await server.start(0, "127.0.0.1");
server.issuer.url = `http://127.0.0.1:${server.address().port}`;
ready(server.issuer.url);
