// oidc-provider over TLS, with every way for a client to prove itself that it has.
import { X509Certificate, createPublicKey, generateKeyPairSync } from "node:crypto";
import https from "node:https";
import Provider, { errors } from "oidc-provider";
import { clients, listen, ready, told } from "../common.mjs";

const RESOURCE = "https://api.example.com";
const hmac = ["HS256", "HS384", "HS512"];
const rsa = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
const others = ["ES256", "ES384", "ES512", "EdDSA"];

// A certificate that is itself registered is a JWK with that certificate in it (RFC 8705 §2.2.2).
function certified(pem) {
  const key = createPublicKey(pem).export({ format: "jwk" });
  return { ...key, x5c: [new X509Certificate(pem).raw.toString("base64")] };
}

function registered(client) {
  const keys = [client.jwk, client.certificate && certified(client.certificate)].filter(Boolean);
  return {
    client_id: client.id,
    client_secret: client.secret ?? undefined,
    token_endpoint_auth_method: client.method,
    token_endpoint_auth_signing_alg: client.alg,
    jwks: keys.length ? { keys } : undefined,
    tls_client_auth_san_dns: client.dns_name,
    dpop_bound_access_tokens: client.dpop_only,
    grant_types: [client.grant],
    response_types: client.grant === "authorization_code" ? ["code"] : [],
    redirect_uris: client.grant === "authorization_code" ? ["https://app.example.com/"] : [],
  };
}

function getResourceServerInfo(_, resource) {
  if (resource !== RESOURCE) throw new errors.InvalidTarget();
  return { scope: "read write", accessTokenFormat: "jwt", accessTokenTTL: 600 };
}

const certificateOf = (ctx) => ctx.req.socket.getPeerX509Certificate();
const mTLS = {
  enabled: true,
  tlsClientAuth: true,
  selfSignedTlsClientAuth: true,
  getCertificate: certificateOf,
  certificateAuthorized: (ctx) => ctx.req.socket.authorized,
  certificateSubjectMatches: (ctx, property, expected) =>
    property === "tls_client_auth_san_dns" && certificateOf(ctx).checkHost(expected) === expected,
};

const signing = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const configuration = {
  clients: told.clients.map(registered),
  scopes: ["read", "write"],
  clientAuthMethods: [
    "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt",
    "tls_client_auth", "self_signed_tls_client_auth",
  ],
  enabledJWA: { clientAuthSigningAlgValues: [...hmac, ...rsa, ...others] },
  jwks: { keys: [{ ...signing.export({ format: "jwk" }), use: "sig", kid: "1" }] },
  ttl: { ClientCredentials: (_, __, client) => clients.get(client.clientId).lifetime },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    dPoP: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: { enabled: true, defaultResource: () => undefined, getResourceServerInfo },
    mTLS,
  },
};

const server = https.createServer({ ...told.tls, requestCert: true, rejectUnauthorized: false });
const url = await listen(server);
const provider = new Provider(url, configuration);
provider.on("server_error", (_, error) => console.error(error));
server.on("request", provider.callback());
ready(url);
