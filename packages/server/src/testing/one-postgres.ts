// For a whole run of tests: one PostgreSQL, whose address they are given; none where it is not installed.
import type { TestProject } from "vitest/node";
import { findPostgres, keptSettings, startPostgres } from "./postgres.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where servers keep what they keep, `postgresql://...`; "" where that is to be PostgreSQL, and there is none. */
    postgres: string;
  }
}

/** Starts it; the answer stops it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (findPostgres() === undefined) {
    project.provide("postgres", "");
    return () => Promise.resolve();
  }
  const postgres = await startPostgres(keptSettings);
  project.provide("postgres", postgres.url);
  return () => postgres.stop();
}
