import { useCallback, useEffect, useId, useState } from "react";
import type { ReactElement } from "react";
import { deskRoles, isWeighty, weightyGain } from "@latchkey/client/desk";
import type { DeskRole, DeskStaff, GrantProof, StaffGrant } from "@latchkey/client/desk";
import { CopyField } from "../../components/CopyLink.tsx";
import { ConfirmDialog, Modal } from "../../components/Dialog.tsx";
import { Icon } from "../../components/Icon.tsx";
import { rowOf, t } from "../../messages/words.ts";
import { formatFull } from "../../state/format.ts";
import { useNow } from "../../state/use-now.ts";
import { proveGrant } from "./grant.ts";
import { Heading } from "./Heading.tsx";
import { useOffice, useOperation } from "./office-context.ts";
import type { PasskeyRefusal } from "./passkey.ts";
import { Refusal } from "./Refusal.tsx";

/** A code that was made just now: shown once. */
interface Given {
  readonly name: string;
  readonly code: string;
  readonly hours: number;
}

/** Who works at the desk and what they may do. */
export function StaffPage(): ReactElement {
  const { isBusy, refusal, run } = useOperation();
  const { ask, session } = useOffice();
  const [unproved, setUnproved] = useState<PasskeyRefusal>();
  const [staff, setStaff] = useState<readonly DeskStaff[]>();
  const [given, setGiven] = useState<Given>();
  const read = useCallback(async () => {
    const answer = await run("staff-list", {});
    if (answer !== undefined) setStaff(answer.staff);
  }, [run]);
  useEffect(() => void read(), [read]);
  /** What the person's own passkey says of somebody; `undefined` where it says nothing. */
  const prove = async (grant: StaffGrant): Promise<GrantProof | undefined> => {
    setUnproved(undefined);
    const proving = await proveGrant(ask, session.host, grant);
    if (proving.kind === "done") return proving.proof;
    setUnproved(proving.code);
    return undefined;
  };
  const invite = async ({ id, name, roles }: { id?: string; name: string; roles: readonly DeskRole[] }): Promise<boolean> => {
    // A code for whoever is known makes a passkey under their name.
    const isProved = id !== undefined || isWeighty(roles);
    const proof = isProved ? await prove({ act: "grant", name, roles }) : undefined;
    if (isProved && proof === undefined) return false;
    const answer = await run("staff-invite", {
      ...(id === undefined ? { name, roles } : { id }),
      ...(proof === undefined ? {} : { proof }),
    });
    if (answer === undefined) return false;
    setGiven({ name: answer.staff.name, code: answer.code, hours: answer.hours });
    await read();
    return true;
  };
  const change = async (
    one: DeskStaff,
    to: { roles: readonly DeskRole[]; isActive: boolean; forgetPasskeys?: boolean },
  ): Promise<boolean> => {
    const gain = to.isActive ? weightyGain(one.isActive ? one.roles : [], to.roles) : [];
    const proof = gain.length > 0 ? await prove({ act: "grant", name: one.name, roles: to.roles }) : undefined;
    if (gain.length > 0 && proof === undefined) return false;
    const answer = await run("staff-set", { id: one.id, ...to, ...(proof === undefined ? {} : { proof }) });
    show(answer?.staff);
    return answer !== undefined;
  };
  const show = (after: DeskStaff | undefined): void => {
    if (after !== undefined) setStaff((before) => before?.map((other) => (other.id === after.id ? after : other)));
  };
  const confirm = async ({ id, name, roles, passkeys, passkeysHash }: DeskStaff): Promise<boolean> => {
    const proof = await prove({ act: "confirm", name, roles, passkeys, passkeysHash });
    const answer = proof === undefined ? undefined : await run("staff-confirm", { id, proof });
    show(answer?.staff);
    return answer !== undefined;
  };
  return (
    <>
      <Heading text={t("office.page.staff")} />
      <Refusal code={unproved ?? refusal} />
      <ul className="office-cards" aria-busy={staff === undefined}>
        {staff?.map((one) => (
          <Person
            key={`${one.id} ${one.roles.join(" ")} ${String(one.isActive)}`}
            confirm={() => confirm(one)}
            one={one}
            isBusy={isBusy}
            change={(to) => change(one, to)}
            giveCode={() => void invite(one)}
          />
        ))}
      </ul>
      <AddPerson isBusy={isBusy} add={(name, roles) => invite({ name, roles })} />
      {given !== undefined && <CodeDialog given={given} close={() => setGiven(undefined)} />}
    </>
  );
}

function Person(props: {
  readonly one: DeskStaff;
  readonly isBusy: boolean;
  readonly change: (to: { roles: readonly DeskRole[]; isActive: boolean; forgetPasskeys?: boolean }) => Promise<boolean>;
  readonly giveCode: () => void;
  readonly confirm: () => Promise<boolean>;
}): ReactElement {
  const { one, isBusy, change, giveCode, confirm } = props;
  const { session } = useOffice();
  const isMe = one.id === session.staff.id;
  const [isConfirming, setIsConfirming] = useState(false);
  const [roles, setRoles] = useState(one.roles);
  const [isAsking, setIsAsking] = useState(false);
  const isChanged = roles.join(" ") !== one.roles.join(" ");
  const state = one.isActive ? t("office.staff.passkeys", { n: one.passkeys }) : t("office.staff.locked");
  return (
    <li className="desk-card">
      <h2>
        <bdi>{one.name}</bdi>
        <span className="section-hint">{isMe ? rowOf([t("common.you"), state]) : state}</span>
      </h2>
      <NewUntil one={one} isMe={isMe} confirm={() => setIsConfirming(true)} />
      <Roles name={one.name} roles={roles} isOff={!one.isActive} change={setRoles} />
      <div className="office-acts">
        {isChanged && (
          <button type="button" className="button button-primary" disabled={isBusy} onClick={() => void change({ roles, isActive: true })}>
            {t("office.staff.save")}
          </button>
        )}
        {one.isActive ? (
          <>
            <button type="button" className="button" disabled={isBusy} onClick={giveCode}>
              {t("office.staff.newCode")}
            </button>
            <button type="button" className="button button-danger-quiet" disabled={isBusy} onClick={() => setIsAsking(true)}>
              {t("office.staff.lock")}
            </button>
          </>
        ) : (
          <button type="button" className="button" disabled={isBusy} onClick={() => void change({ roles: one.roles, isActive: true })}>
            {t("office.staff.unlock")}
          </button>
        )}
      </div>
      {isConfirming && (
        <ConfirmDialog
          title={t("office.staff.confirmTitle", { name: one.name })}
          body={t("office.staff.confirmBody")}
          confirmLabel={t("office.staff.confirm")}
          confirm={confirm}
          close={() => setIsConfirming(false)}
        />
      )}
      {isAsking && (
        <ConfirmDialog
          title={t("office.staff.lockTitle", { name: one.name })}
          body={t("office.staff.lockBody")}
          confirmLabel={t("office.staff.lock")}
          confirm={() => change({ roles: one.roles, isActive: false })}
          close={() => setIsAsking(false)}
        />
      )}
    </li>
  );
}

/** That one administrator alone let somebody in, and until when they approve nothing. */
function NewUntil(props: { readonly one: DeskStaff; readonly isMe: boolean; readonly confirm: () => void }): ReactElement | undefined {
  const { approvesFromMs = 0 } = props.one;
  const nowMs = useNow();
  // What holds, the desk says.
  if (approvesFromMs <= nowMs) return undefined;
  return (
    <p className="office-new">
      <Icon name="clock" size={16} />
      <span>{t("office.staff.newUntil", { time: formatFull(approvesFromMs) })}</span>
      {!props.isMe && (
        <button type="button" className="button button-small" onClick={props.confirm}>
          {t("office.staff.confirm")}
        </button>
      )}
    </p>
  );
}

function AddPerson({
  isBusy,
  add,
}: {
  readonly isBusy: boolean;
  readonly add: (name: string, roles: readonly DeskRole[]) => Promise<boolean>;
}): ReactElement {
  const id = useId();
  const [name, setName] = useState("");
  const [roles, setRoles] = useState<readonly DeskRole[]>(["intake"]);
  return (
    <section className="desk-card" aria-labelledby={`${id}h`}>
      <h2 id={`${id}h`}>{t("office.staff.add")}</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void add(name.trim(), roles).then((isDone) => {
            if (!isDone) return;
            setName("");
            setRoles(["intake"]);
          });
        }}
      >
        <div className="field">
          <label htmlFor={id}>{t("office.staff.name")}</label>
          <input
            id={id}
            className="input"
            autoComplete="off"
            maxLength={60}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          <div className="field-hint">{t("office.staff.nameHint")}</div>
        </div>
        <Roles name="" roles={roles} change={setRoles} />
        {isWeighty(roles) && <p className="section-hint">{t("office.staff.takesPasskey")}</p>}
        <button type="submit" className="button button-primary" disabled={isBusy || name.trim() === "" || roles.length === 0}>
          {t("office.staff.makeCode")}
        </button>
      </form>
    </section>
  );
}

function Roles(props: {
  readonly name: string;
  readonly roles: readonly DeskRole[];
  readonly isOff?: boolean;
  readonly change: (roles: readonly DeskRole[]) => void;
}): ReactElement {
  const { name, roles, isOff = false, change } = props;
  return (
    <fieldset className="office-roles" disabled={isOff}>
      <legend className="visually-hidden">{t("office.staff.rolesOf", { name })}</legend>
      {deskRoles.map((role) => (
        <label key={role}>
          <input
            type="checkbox"
            checked={roles.includes(role)}
            onChange={(event) => change(deskRoles.filter((one) => (one === role ? event.target.checked : roles.includes(one))))}
          />
          <span>
            {t(`office.role.${role}`)}
            <span className="setting-hint">{t(`office.roleHint.${role}`)}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function CodeDialog({ given, close }: { readonly given: Given; readonly close: () => void }): ReactElement {
  return (
    <Modal title={t("office.staff.codeTitle", { name: given.name })} close={close}>
      <p className="dialog-body">{t("office.staff.codeBody", { hours: given.hours })}</p>
      <div className="office-copies">
        <CopyField
          value={`${globalThis.location.origin}/desk#enrol=${given.code}`}
          label={t("office.staff.link")}
          copyLabel={t("office.staff.copyLink")}
        />
        <CopyField value={given.code} label={t("office.enrol.code")} copyLabel={t("office.staff.copyCode")} />
      </div>
      <div className="dialog-actions">
        <button type="button" className="button button-primary" onClick={close}>
          {t("office.staff.given")}
        </button>
      </div>
    </Modal>
  );
}
