import "../styles/lock.css";
import { useId, useState } from "react";
import type { ReactElement } from "react";
import type { LockChange, LockSettings, LockView, NewOpener } from "@latchkey/client/lock";
import { Modal } from "../components/Dialog.tsx";
import { Section } from "../components/settings/Section.tsx";
import { Switch } from "../components/settings/Switch.tsx";
import { t } from "../messages/words.ts";
import { useApp, useBusyAction, useSelector } from "../state/context.ts";
import { formatDate, formatSpan } from "../state/format.ts";
import { LockProof } from "./LockProof.tsx";
import { PassphraseForm } from "./PassphraseForm.tsx";
import { knowsPasskeys, makePasskey, PasskeyError } from "./passkeys.ts";

/** After so many minutes it may lock by itself. */
const minutes = [1, 5, 15, 60] as const;
/** After so many wrong passphrases everything may be erased. */
const wipes = [5, 10, 20] as const;
const usual: LockSettings = { afterMs: 15 * 60_000, onHide: false, wipeAfter: undefined };

/** The page "Lock" of the settings. */
export function LockSettingsPart(): ReactElement {
  const lock = useSelector((state) => state.lock);
  return lock === undefined ? <TurnOn /> : <ChangeLock lock={lock} />;
}

function TurnOn(): ReactElement {
  const { controller } = useApp();
  const [isBusy, act] = useBusyAction();
  const turnOn = (opener: NewOpener): Promise<unknown> => controller.lock({ kind: "turn_on", opener, settings: usual });
  return (
    <>
      <section className="section">
        <p>{t("lock.intro")}</p>
        <p className="section-hint">{t("lock.once")}</p>
      </section>
      <Section heading={t("lock.byPassphrase")}>
        <PassphraseForm label={t("lock.turnOn")} choose={(passphrase) => void act(() => turnOn({ kind: "passphrase", passphrase }))} />
      </Section>
      <Section heading={t("lock.byPasskey")}>
        <NewPasskey label={t("lock.turnOnPasskey")} isBusy={isBusy} made={(opener) => void act(() => turnOn(opener))} />
      </Section>
      <section className="section">
        <p className="section-hint">{t("lock.lost")}</p>
      </section>
    </>
  );
}

/** A name, and a button that makes a passkey. */
function NewPasskey({
  label,
  isBusy,
  made,
}: {
  readonly label: string;
  readonly isBusy: boolean;
  readonly made: (opener: NewOpener) => void;
}): ReactElement {
  const id = useId();
  const [name, setName] = useState("");
  const [trouble, setTrouble] = useState<string>();
  const make = async (): Promise<void> => {
    setTrouble(undefined);
    try {
      made(await makePasskey(name.trim() === "" ? t("lock.passkeyName") : name));
      setName("");
    } catch (error) {
      setTrouble(t(error instanceof PasskeyError ? `lock.passkey.${error.why}` : "lock.failed"));
    }
  };
  return (
    <div className="lock-form">
      <p className="section-hint">{t("lock.passkeyHint")}</p>
      <div className="field">
        <label htmlFor={id}>{t("lock.passkeyLabel")}</label>
        <input
          id={id}
          className="input"
          autoComplete="off"
          maxLength={40}
          placeholder={t("lock.passkeyName")}
          value={name}
          onChange={({ target }) => setName(target.value)}
        />
      </div>
      <button type="button" className="button" disabled={isBusy || !knowsPasskeys()} onClick={() => void make()}>
        {label}
      </button>
      <div role="alert" className="lock-trouble">
        {trouble !== undefined && <p>{trouble}</p>}
      </div>
    </div>
  );
}

/** Something that is to change, once the person has shown that they may. */
interface Asked {
  readonly title: string;
  readonly change: LockChange;
}

function ChangeLock({ lock }: { readonly lock: LockView }): ReactElement {
  const { controller, notify } = useApp();
  const [asked, setAsked] = useState<Asked>();
  const [isTyping, setIsTyping] = useState(false);
  const [isAdding, setIsAdding] = useState(false);
  const canRemove = lock.passkeys.length + (lock.hasPassphrase ? 1 : 0) > 1;
  return (
    <>
      <section className="section">
        <button type="button" className="button button-primary" onClick={() => void controller.lock({ kind: "now" })}>
          {t("lock.now")}
        </button>
      </section>
      <Section heading={t("lock.when")}>
        <WhenForm
          key={JSON.stringify(lock.settings)}
          lock={lock}
          save={(settings) => setAsked({ title: t("lock.save"), change: { kind: "settings", settings } })}
        />
      </Section>
      <Section heading={t("lock.opensWith")}>
        {/* A list without markers is no list to some screen readers unless told. */}
        {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles */}
        <ul role="list" className="lock-openers">
          {lock.hasPassphrase && (
            <li className="lock-opener">
              <span>{t("lock.passphrase")}</span>
              <button type="button" className="button button-small" onClick={() => setIsTyping(true)}>
                {t("lock.change")}
              </button>
              {canRemove && (
                <button
                  type="button"
                  className="button button-small"
                  onClick={() => setAsked({ title: t("lock.removePassphrase"), change: { kind: "remove_passphrase" } })}
                >
                  {t("lock.remove")}
                </button>
              )}
            </li>
          )}
          {lock.passkeys.map(({ id, name, addedMs }) => (
            <li key={id.toHex()} className="lock-opener">
              <span>
                <bdi>{name}</bdi>
                <small className="setting-hint">{t("lock.added", { date: formatDate(addedMs) })}</small>
              </span>
              {canRemove && (
                <button
                  type="button"
                  className="button button-small"
                  aria-label={t("lock.removeLabel", { name })}
                  onClick={() => setAsked({ title: t("lock.removeLabel", { name }), change: { kind: "remove_passkey", id } })}
                >
                  {t("lock.remove")}
                </button>
              )}
            </li>
          ))}
        </ul>
        <div className="lock-ways">
          {!lock.hasPassphrase && (
            <button type="button" className="button" onClick={() => setIsTyping(true)}>
              {t("lock.addPassphrase")}
            </button>
          )}
          <button type="button" className="button" onClick={() => setIsAdding(true)}>
            {t("lock.addPasskey")}
          </button>
        </div>
      </Section>
      <Section heading={t("lock.off")}>
        <p className="section-hint">{t("lock.offHint")}</p>
        <button
          type="button"
          className="button button-wide button-danger-quiet"
          onClick={() => setAsked({ title: t("lock.off"), change: { kind: "off" } })}
        >
          {t("lock.off")}
        </button>
      </Section>
      <section className="section">
        <p className="section-hint">{t("lock.lost")}</p>
      </section>
      {isTyping && (
        <Modal title={t(lock.hasPassphrase ? "lock.changePassphrase" : "lock.addPassphrase")} close={() => setIsTyping(false)}>
          <PassphraseForm
            label={t("lock.next")}
            choose={(passphrase) => {
              setIsTyping(false);
              setAsked({ title: t("lock.confirm"), change: { kind: "add", opener: { kind: "passphrase", passphrase } } });
            }}
          />
        </Modal>
      )}
      {isAdding && (
        <Modal title={t("lock.addPasskey")} close={() => setIsAdding(false)}>
          <NewPasskey
            label={t("lock.next")}
            isBusy={false}
            made={(opener) => {
              setIsAdding(false);
              setAsked({ title: t("lock.confirm"), change: { kind: "add", opener } });
            }}
          />
        </Modal>
      )}
      {asked !== undefined && (
        <Modal title={asked.title} close={() => setAsked(undefined)}>
          <p className="dialog-body lock-prove">{t("lock.prove")}</p>
          <LockProof
            lock={lock}
            passphraseLabel={t("lock.confirm")}
            open={async (present) => {
              const answer = await controller.lock({ kind: "change", present, change: asked.change });
              if (answer.kind === "done") {
                setAsked(undefined);
                notify(t("lock.saved"));
              }
              return answer;
            }}
          />
        </Modal>
      )}
    </>
  );
}

function WhenForm({ lock, save }: { readonly lock: LockView; readonly save: (settings: LockSettings) => void }): ReactElement {
  const id = useId();
  const [settings, setSettings] = useState(lock.settings);
  const numberOf = (value: string): number | undefined => (value === "" ? undefined : Number(value));
  return (
    <div className="lock-form">
      <div className="field">
        <label htmlFor={`${id}-after`}>{t("lock.after")}</label>
        <select
          id={`${id}-after`}
          className="input"
          value={settings.afterMs ?? ""}
          onChange={({ target }) => setSettings({ ...settings, afterMs: numberOf(target.value) })}
        >
          {minutes.map((one) => (
            <option key={one} value={one * 60_000}>
              {t("lock.afterTime", { time: formatSpan(one * 60) })}
            </option>
          ))}
          <option value="">{t("lock.never")}</option>
        </select>
      </div>
      <Switch
        label={t("lock.onHide")}
        hint={t("lock.onHideHint")}
        isOn={settings.onHide}
        change={(onHide) => setSettings({ ...settings, onHide })}
      />
      <div className="field">
        <label htmlFor={`${id}-wipe`}>{t("lock.wipe")}</label>
        <select
          id={`${id}-wipe`}
          className="input"
          value={settings.wipeAfter ?? ""}
          aria-describedby={`${id}-hint`}
          onChange={({ target }) => setSettings({ ...settings, wipeAfter: numberOf(target.value) })}
        >
          <option value="">{t("lock.never")}</option>
          {wipes.map((one) => (
            <option key={one} value={one}>
              {t("lock.wipeAfter", { n: one })}
            </option>
          ))}
        </select>
        <p id={`${id}-hint`} className="field-hint">
          {t("lock.wipeHint")}
        </p>
      </div>
      <button
        type="button"
        className="button"
        disabled={JSON.stringify(settings) === JSON.stringify(lock.settings)}
        onClick={() => save(settings)}
      >
        {t("lock.save")}
      </button>
    </div>
  );
}
