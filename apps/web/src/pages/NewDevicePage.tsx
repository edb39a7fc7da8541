import { useCallback, useEffect, useRef, useState } from "react";
import type { ReactElement } from "react";
import type { ClientFailure, LinkOffer } from "@latchkey/client";
import { Icon } from "../components/Icon.tsx";
import { CompareDigits, LinkFailed, Moving, Waiting } from "../components/LinkSteps.tsx";
import { QrCode } from "../components/QrCode.tsx";
import { t } from "../messages/words.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { deviceName } from "../state/device-name.ts";
import { formatLeft } from "../state/format.ts";
import { failureOf } from "../worker/protocol.ts";
import "../styles/account.css";

/** A device without an account offers itself to one that has it: code, words, digits to compare, then the conversations. */
export function NewDevicePage(): ReactElement {
  const { controller, router } = useApp();
  const act = useAction();
  const link = useSelector((state) => state.link);
  const [offer, setOffer] = useState<LinkOffer>();
  const [failure, setFailure] = useState<ClientFailure>();
  const round = useRef(0);

  const start = useCallback(() => {
    round.current += 1;
    const mine = round.current;
    setOffer(undefined);
    setFailure(undefined);
    controller.endLink();
    void navigator.storage?.persist();
    controller.client.offerLink({ deviceName: deviceName(navigator.userAgent) }).then(
      (made) => mine === round.current && setOffer(made),
      (error: unknown) => mine === round.current && setFailure(failureOf(error)),
    );
  }, [controller]);
  // Once: going on is the person's choice. In development React mounts twice; the first offer is then replaced.
  useEffect(start, [start]);

  const cancel = (): void => {
    round.current += 1;
    controller.endLink();
    router.go({ kind: "home" }, { replace: true });
  };
  const failed = link?.kind === "failed" ? link.failure : failure;
  return (
    <main className="welcome">
      <div className="welcome-card">
        <header className="card-header">
          <button type="button" className="icon-button" aria-label={t("common.back")} onClick={cancel}>
            <Icon name="back" />
          </button>
          <h1>{t("newDevice.heading")}</h1>
        </header>
        {failed !== undefined ? (
          <LinkFailed failure={failed}>
            <button type="button" className="button" onClick={cancel}>
              {t("common.close")}
            </button>
            <button type="button" className="button button-primary" onClick={start}>
              {t("link.again")}
            </button>
          </LinkFailed>
        ) : link?.kind === "compare" ? (
          <CompareDigits
            digits={link.digits}
            deviceName={link.deviceName}
            addsDevice={false}
            answer={(same) => void act(() => controller.client.confirmLink(same))}
            cancel={cancel}
          />
        ) : link?.kind === "moving" ? (
          <Moving done={link.done} total={link.total} isNew cancel={cancel} />
        ) : offer === undefined || link?.kind === "done" ? (
          <Waiting label={link?.kind === "done" ? t("link.movingNew") : t("newDevice.preparing")} cancel={cancel} />
        ) : (
          <Offer offer={offer} renew={start} />
        )}
      </div>
    </main>
  );
}

function Offer({ offer, renew }: { readonly offer: LinkOffer; readonly renew: () => void }): ReactElement {
  const [nowMs, setNowMs] = useState(() => Date.now());
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const leftMs = offer.expiresAtMs - nowMs;
  if (leftMs <= 0) {
    return (
      <div className="link-step">
        <h2>{t("newDevice.expiredHeading")}</h2>
        <p>{t("newDevice.expired")}</p>
        <button type="button" className="button button-primary button-wide" onClick={renew}>
          {t("newDevice.newCode")}
        </button>
      </div>
    );
  }
  return (
    <div className="link-step">
      <p>{t("newDevice.intro")}</p>
      <QrCode text={offer.code} label={t("newDevice.qr")} />
      <p className="link-expiry tabular" role="timer">
        {t("newDevice.expires", { left: formatLeft(leftMs) })}
      </p>
      <details className="link-words" open>
        <summary>{t("newDevice.words")}</summary>
        {/* A list without markers is no list to some screen readers unless told. */}
        {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles */}
        <ol role="list" className="phrase phrase-small" translate="no">
          {offer.words.map((word, index) => (
            // The same word may stand in two places.
            // oxlint-disable-next-line react/no-array-index-key
            <li key={`${String(index)}:${word}`}>
              <span className="phrase-number">{index + 1}</span> <b>{word}</b>
            </li>
          ))}
        </ol>
        <button
          type="button"
          className="link-button"
          onClick={() => {
            void navigator.clipboard.writeText(offer.code).then(
              () => setIsCopied(true),
              () => setIsCopied(false),
            );
          }}
        >
          {isCopied ? t("common.copied") : t("newDevice.copyCode")}
        </button>
      </details>
      <p className="section-hint">{t("newDevice.name", { device: deviceName(navigator.userAgent) })}</p>
      <p className="section-hint">{t("newDevice.safety")}</p>
    </div>
  );
}
