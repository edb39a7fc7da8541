import { useEffect, useId, useRef, useState } from "react";
import type { FormEvent, ReactElement } from "react";
import type { ServerInfo, UsernameStatus } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { failureWords } from "../messages/words.ts";
import { Icon, Mark } from "../components/Icon.tsx";
import { PendingNote } from "../components/PendingNote.tsx";
import { useApp, useRoute, useSelector } from "../state/context.ts";
import type { Route } from "../state/router.ts";
import { deviceName } from "../state/device-name.ts";
import { forgetInvitation, invitationOfFragment } from "../state/invitation-link.ts";
import { hadAccount, registrationUnderWay, rememberRegistering } from "../state/preferences.ts";
import { checkUsernameRule, normalizeUsername } from "../state/username.ts";
import type { UsernameProblem } from "../state/username.ts";
import { failureOf } from "../worker/protocol.ts";

const typingPauseMs = 300;

type Availability = { readonly kind: "none" } | { readonly kind: "checking" } | { readonly kind: "known"; readonly status: UsernameStatus };

/** The first page of somebody who has no account here: two fields, one button. */
export function WelcomePage(): ReactElement {
  const { controller } = useApp();
  const route = useRoute();
  const inviter = inviterOf(route);
  const server = useSelector((state) => state.server);
  const pending = useSelector((state) => state.pendingAccount);
  const id = useId();
  // What was being made when this browser was closed goes on.
  const [begun] = useState(registrationUnderWay);
  const [typed, setTyped] = useState(begun?.username ?? "");
  const [displayName, setDisplayName] = useState(begun?.displayName ?? "");
  const [invitation, setInvitation] = useState(() => begun?.invitation ?? invitationOfFragment(globalThis.location.hash));
  useEffect(() => forgetInvitation(globalThis.window), []);
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<string>();
  const [wasEvicted] = useState(hadAccount);
  const usernameRef = useRef<HTMLInputElement>(null);

  const username = normalizeUsername(typed);
  const problem = checkUsernameRule(username);
  const [availability, check] = useAvailability(username, problem);

  const submit = async (event?: FormEvent): Promise<void> => {
    event?.preventDefault();
    if (isBusy) return;
    if (problem.kind !== "none") {
      setError(problemText(problem));
      usernameRef.current?.focus();
      return;
    }
    setIsBusy(true);
    setError(undefined);
    // Asked now because a browser that is asked out of the blue says no.
    void navigator.storage?.persist();
    const name = displayName.trim();
    const code = invitation.trim();
    rememberRegistering({ username, displayName: name, invitation: code });
    try {
      await controller.register({
        username,
        deviceName: deviceName(navigator.userAgent),
        ...(name === "" ? {} : { displayName: name }),
        ...(code === "" ? {} : { invitation: code }),
      });
    } catch (thrown) {
      const failure = failureOf(thrown);
      rememberRegistering(undefined);
      const { title, advice } = failureWords(failure);
      // What waits is told above, for as long as it does.
      if (failure.code !== "account_waits") setError(`${title}. ${advice}`);
      setIsBusy(false);
      check();
      usernameRef.current?.focus();
    }
  };

  useEffect(() => {
    if (begun !== undefined) void submit();
    // Once, with what was remembered.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  const isClosed = server?.registration === "closed";
  return (
    <main className="welcome">
      <div className="welcome-card">
        <div className="welcome-mark">
          <Mark size={56} />
        </div>
        <h1>{t("appName")}</h1>
        <p className="welcome-promise">{t("promise")}</p>
        {server !== undefined && <p className="welcome-registration">{t(`welcome.registration.${server.registration}`)}</p>}
        {wasEvicted && (
          <div className="notice notice-danger" role="alert">
            <strong>{t("blocked.evicted")}</strong>
            <p>{t("blocked.evictedAdvice")}</p>
          </div>
        )}
        {wasEvicted && (
          <>
            <Others isFirst />
            <h2 className="welcome-anew">{t("welcome.orNew")}</h2>
          </>
        )}
        {begun !== undefined && isBusy && (
          <p className="notice" role="status">
            {t("welcome.resumed", { username: begun.username })}
          </p>
        )}
        {pending !== undefined && <PendingNote pending={pending} />}
        {route.kind === "knock" && <p className="notice notice-brass">{t("welcome.toJoin")}</p>}
        {inviter !== undefined && <p className="notice notice-brass">{t("welcome.toWrite", { name: inviter })}</p>}
        <form onSubmit={(event) => void submit(event)} noValidate>
          <div className="field">
            <label htmlFor={`${id}username`}>{t("welcome.username")}</label>
            <input
              ref={usernameRef}
              id={`${id}username`}
              className="input"
              value={typed}
              disabled={isClosed}
              autoComplete="username"
              autoCapitalize="none"
              autoCorrect="off"
              spellCheck={false}
              // The first page has one thing to do.
              // oxlint-disable-next-line jsx-a11y/no-autofocus
              autoFocus={!wasEvicted}
              maxLength={64}
              aria-describedby={`${id}rule`}
              aria-invalid={error !== undefined}
              onChange={(event) => {
                setTyped(event.target.value);
                setError(undefined);
              }}
            />
            <div id={`${id}rule`} className="field-hint" aria-live="polite">
              <UsernameHint error={error} username={username} problem={problem} availability={availability} />
            </div>
          </div>
          <div className="field">
            <label htmlFor={`${id}name`}>{t("welcome.displayName")}</label>
            <input
              id={`${id}name`}
              className="input"
              value={displayName}
              disabled={isClosed}
              dir="auto"
              autoComplete="name"
              maxLength={64}
              aria-describedby={`${id}namehint`}
              onChange={(event) => setDisplayName(event.target.value)}
            />
            <p id={`${id}namehint`} className="field-hint">
              {t("welcome.displayNameHint")}
            </p>
          </div>
          {server?.registration === "invitation" && (
            <div className="field">
              <label htmlFor={`${id}code`}>{t("welcome.invitation")}</label>
              <input
                id={`${id}code`}
                className="input"
                value={invitation}
                autoComplete="off"
                spellCheck={false}
                onChange={(event) => setInvitation(event.target.value)}
              />
            </div>
          )}
          <button type="submit" className="button button-primary button-wide" disabled={isClosed} aria-disabled={isBusy}>
            {isBusy ? `${t("welcome.creating")}…` : t("welcome.create")}
          </button>
        </form>
        <p className="welcome-note">
          <Icon name="lock" size={16} />
          {t("welcome.noPassword")}
        </p>
        {!wasEvicted && <Others isFirst={false} />}
      </div>
      <ServerLine server={server} />
    </main>
  );
}

/** Whose link led here: what is no username is whatever somebody put into a link, and is not shown. */
function inviterOf(route: Route): string | undefined {
  const username = route.kind === "new" ? normalizeUsername(route.to) : "";
  return checkUsernameRule(username).kind === "none" ? username : undefined;
}

/** The ways in of somebody who has an account. */
function Others({ isFirst }: { readonly isFirst: boolean }): ReactElement {
  const { router } = useApp();
  return (
    <div className={isFirst ? "welcome-others welcome-others-first" : "welcome-others"}>
      <button
        type="button"
        className={isFirst ? "button button-wide button-primary" : "button button-wide"}
        onClick={() => router.go({ kind: "join" })}
      >
        <Icon name="link" size={18} />
        {t("welcome.link")}
      </button>
      <p>
        {t("welcome.recoverHint")}{" "}
        <button type="button" className="link-button" onClick={() => router.go({ kind: "recover" })}>
          {t("welcome.recover")}
        </button>
      </p>
    </div>
  );
}

function ServerLine({ server }: { readonly server: ServerInfo | undefined }): ReactElement {
  const name = server?.name ?? globalThis.location.host;
  return (
    <footer className="welcome-server">
      <strong>
        <bdi>{t("welcome.serverLine", { name })}</bdi>
      </strong>
      {server !== undefined && name !== server.host && <bdi> ({server.host})</bdi>}
    </footer>
  );
}

/** Whether the username is free, asked after a pause in typing; the second value asks again. */
function useAvailability(username: string, problem: UsernameProblem): readonly [Availability, () => void] {
  const { controller } = useApp();
  const [availability, setAvailability] = useState<Availability>({ kind: "none" });
  const [round, setRound] = useState(0);
  const isValid = problem.kind === "none";
  useEffect(() => {
    setAvailability({ kind: "none" });
    if (!isValid) return undefined;
    let isGone = false;
    const show = (next: Availability): void => {
      if (!isGone) setAvailability(next);
    };
    const timer = setTimeout(() => {
      show({ kind: "checking" });
      controller.client.checkUsername(username).then(
        (status) => show({ kind: "known", status }),
        () => show({ kind: "known", status: "unknown" }),
      );
    }, typingPauseMs);
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [controller, isValid, round, username]);
  return [availability, () => setRound((before) => before + 1)];
}

function problemText(problem: UsernameProblem): string {
  switch (problem.kind) {
    case "too_short":
      return t("welcome.status.tooShort", { missing: problem.missing });
    case "too_long":
      return t("welcome.status.tooLong");
    case "space":
      return t("welcome.status.space");
    case "bad_character":
      return t("welcome.status.badCharacter", { character: problem.character });
    case "none":
      return "";
  }
}

function UsernameHint({
  error,
  username,
  problem,
  availability,
}: {
  readonly error: string | undefined;
  readonly username: string;
  readonly problem: UsernameProblem;
  readonly availability: Availability;
}): ReactElement {
  if (error !== undefined) return <p className="field-error">{error}</p>;
  if (username === "") return <p>{t("welcome.usernameHint")}</p>;
  // While a name is being typed it is too short: no error yet.
  if (problem.kind === "too_short") return <p>{problemText(problem)}</p>;
  if (problem.kind !== "none") {
    return (
      <p className="field-error">
        {problemText(problem)}. {t("welcome.usernameHint")}
      </p>
    );
  }
  if (availability.kind === "none") return <p>{t("welcome.usernameHint")}</p>;
  if (availability.kind === "checking") return <p>{t("welcome.status.checking")}…</p>;
  const text = t(`welcome.status.${availability.status}`);
  switch (availability.status) {
    case "available":
      return (
        <p className="field-good">
          <Icon name="check" size={16} /> {text}
        </p>
      );
    case "unknown":
      return <p>{text}</p>;
    case "taken":
    case "reserved":
    case "invalid":
      return <p className="field-error">{text}</p>;
  }
}
