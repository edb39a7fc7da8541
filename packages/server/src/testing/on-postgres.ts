// Before each test of a run on PostgreSQL.
import { beforeEach, inject } from "vitest";

beforeEach(({ skip }) => {
  skip(inject("postgres") === "", "PostgreSQL is not installed");
});
