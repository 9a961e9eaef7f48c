// oauth2orize behind passport, which is how clients and tokens are judged there.
import { randomUUID } from "node:crypto";
import http from "node:http";
import oauth2orize from "oauth2orize";
import passport from "passport";
import { BasicStrategy } from "passport-http";
import { Strategy as BearerStrategy } from "passport-http-bearer";
import { Strategy as ClientPasswordStrategy } from "passport-oauth2-client-password";
import { clients, formOf, listen, ready, send } from "../common.mjs";

const SCOPES = ["read", "write"];
const tokens = new Map();

function clientBy(id, secret, done) {
  const client = clients.get(id);
  done(null, client && client.secret === secret ? client : false);
}
passport.use(new BasicStrategy(clientBy));
passport.use(new ClientPasswordStrategy(clientBy));
passport.use(
  new BearerStrategy((token, done) => done(null, tokens.get(token) > Date.now() && { token })),
);

const oauth = oauth2orize.createServer();
function issue(client, scope, done) {
  scope ??= ["read"];
  if (client.grant !== "client_credentials") {
    return done(new oauth2orize.TokenError("not for this client", "unauthorized_client"));
  }
  if (!scope.every((name) => SCOPES.includes(name))) {
    return done(new oauth2orize.TokenError("no such scope", "invalid_scope"));
  }
  const token = randomUUID();
  tokens.set(token, Date.now() + 1000 * client.lifetime);
  return done(null, token, null, { expires_in: client.lifetime, scope: scope.join(" ") });
}
oauth.exchange(oauth2orize.exchange.clientCredentials(issue));

const byClient = passport.authenticate(["basic", "oauth2-client-password"], { session: false });
const endpoints = {
  "/token": [byClient, oauth.token()],
  "/resource": [passport.authenticate("bearer", { session: false }), (_, out) => send(out, 200)],
  // The library has no endpoint for this: whoever uses it deletes the token.
  "/revoke": [(request, out) => send(out, tokens.delete(request.body.token) ? 200 : 404)],
};

const fail = oauth.errorHandler();
const server = http.createServer(async (request, response) => {
  request.body = await formOf(request);
  const steps = [...(endpoints[request.url] ?? [(_, out) => send(out, 404)])];
  const next = (error) =>
    error ? fail(error, request, response) : steps.shift()(request, response, next);
  next();
});
ready(await listen(server));
