import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const noApp = "Latchkey runs here, without a web app: build it and start again, or use the command line.\n";

/** Serves the built web app: hashed assets for ever, its page always fresh, and the page for every path of the app's own. */
export async function addWebApp(app: FastifyInstance, webRoot: string | undefined): Promise<void> {
  const root = webRoot === undefined ? undefined : resolve(webRoot);
  if (root === undefined || !existsSync(join(root, "index.html"))) {
    app.get("/", (_request, reply) => reply.type("text/plain; charset=utf-8").send(noApp));
    app.setNotFoundHandler((_request, reply) => reply.code(404).send({ code: "not_found" }));
    return;
  }
  await app.register(fastifyStatic, {
    root,
    cacheControl: false,
    // Written beside the assets at build time where present.
    preCompressed: true,
    index: ["index.html"],
    dotfiles: "ignore",
    setHeaders(response, path) {
      const isHashed = /[/\\]assets[/\\]/.test(path);
      void response.header("cache-control", isHashed ? "public, max-age=31536000, immutable" : "no-cache");
    },
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?")[0] ?? "";
    const isPage = (request.method === "GET" || request.method === "HEAD") && !path.startsWith("/v1/") && !/\.[a-z0-9]+$/i.test(path);
    if (!isPage) return reply.code(404).send({ code: "not_found" });
    return reply.header("cache-control", "no-cache").sendFile("index.html", { cacheControl: false });
  });
}
