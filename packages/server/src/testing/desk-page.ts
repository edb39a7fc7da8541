import type { DeskErrorCode, DeskInput, DeskOperation, DeskOutput, DeskRole, GrantProof, StaffGrant } from "@latchkey/protocol/desk";
import { deskApiPath } from "@latchkey/protocol/desk";
import { answer } from "./ask-admin.ts";
import { TestAuthenticator } from "./authenticator.ts";

/** The desk's page of one browser: its cookie, and what it asks. */
export class DeskPage {
  readonly url: string;
  cookie = "";

  constructor(url: string) {
    this.url = url;
  }

  async send(
    operation: string,
    input: object,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }> {
    const response = await fetch(`${this.url}${deskApiPath}/${operation}`, {
      method: "POST",
      body: JSON.stringify(input),
      headers: { ...(this.cookie === "" ? {} : { cookie: this.cookie }), ...headers },
    });
    const set = response.headers.getSetCookie()[0];
    if (set !== undefined) this.cookie = set.includes("Max-Age=0") ? "" : (set.split(";")[0] ?? "");
    // Every answer is a JSON object.
    return { status: response.status, body: (await response.json()) as Record<string, unknown>, headers: response.headers };
  }

  /** What an operation answers that is done. */
  async ask<Name extends DeskOperation>(operation: Name, input: DeskInput<Name>): Promise<DeskOutput<Name>> {
    const { status, body } = await this.send(operation, input);
    if (status !== 200) throw new Error(`${operation} is not done: ${String(status)} ${JSON.stringify(body)}`);
    return body as DeskOutput<Name>;
  }

  /** Why one is not done. */
  async refusal<Name extends DeskOperation>(operation: Name, input: DeskInput<Name>): Promise<DeskErrorCode> {
    const { status, body } = await this.send(operation, input);
    if (status === 200) throw new Error(`${operation} is done`);
    return body["code"] as DeskErrorCode;
  }

  /** Makes a passkey with a code, and is signed in. */
  async enrol(code: string, authenticator: TestAuthenticator = new TestAuthenticator(this.url)): Promise<TestAuthenticator> {
    const { options } = await this.ask("enrol-begin", { code });
    await this.ask("enrol-finish", { code, response: authenticator.create(options) });
    return authenticator;
  }

  async signIn(authenticator: TestAuthenticator): Promise<void> {
    const { options } = await this.ask("sign-in-begin", {});
    await this.ask("sign-in-finish", { response: authenticator.get(options) });
  }
}

/** What shows that whoever has this passkey says that of somebody. */
export async function proofOf(page: DeskPage, authenticator: TestAuthenticator, grant: StaffGrant): Promise<GrantProof> {
  const { nonce, options } = await page.ask("staff-grant-begin", grant);
  return { nonce, response: authenticator.get(options) };
}

/** Somebody new at the desk, named by an administrator and let in by the operator, so that they have no day to wait; signed in. */
export async function addColleague(
  by: { readonly dataDirectory: string; readonly page: DeskPage; readonly authenticator: TestAuthenticator },
  { name, roles }: { readonly name: string; readonly roles: readonly DeskRole[] },
): Promise<{ page: DeskPage; authenticator: TestAuthenticator }> {
  const { dataDirectory, page, authenticator } = by;
  await page.ask("staff-invite", { name, roles, proof: await proofOf(page, authenticator, { act: "grant", name, roles }) });
  const { code } = await answer(dataDirectory, "desk-code", { name });
  const theirs = new DeskPage(page.url);
  return { page: theirs, authenticator: await theirs.enrol(String(code), new TestAuthenticator(authenticator.origin)) };
}

/** Begins the desk of a server, with its first administrator signed in. */
export async function beginDesk(params: {
  dataDirectory: string;
  url: string;
  name?: string;
  /** What browsers call the server, where it is not `url`: passkeys are made for that. */
  origin?: string;
}): Promise<{ page: DeskPage; authenticator: TestAuthenticator }> {
  const { dataDirectory, url, name = "Ada", origin = url } = params;
  const { code } = await answer(dataDirectory, "desk-start", { name });
  const page = new DeskPage(url);
  return { page, authenticator: await page.enrol(String(code), new TestAuthenticator(origin)) };
}
