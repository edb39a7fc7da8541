import { useEffect, useState } from "react";
import type { ComponentType, ReactElement } from "react";
import { words } from "../messages/words.ts";
import { FailedPart } from "./FailedPart.tsx";

const loaders: (() => Promise<unknown>)[] = [];

/** Fetches every component that can be shown, one after another: so that later, without a connection, all screens are there. */
export async function fetchAllComponents(): Promise<void> {
  for (const load of loaders) await load();
}

/**
 * A component that is fetched when it is first shown. Where that fails (no connection, or a newer version on the server) it says so
 * and tries again when asked, instead of taking the rest of the page with it.
 */
export function lazyComponent<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | undefined;
  loaders.push(load);
  return function Lazy(props: P): ReactElement | undefined {
    const [Component, setComponent] = useState<ComponentType<P> | undefined>(() => loaded);
    const [round, setRound] = useState(0);
    const [hasFailed, setHasFailed] = useState(false);
    useEffect(() => {
      if (loaded !== undefined) {
        setComponent(() => loaded);
        return undefined;
      }
      let isGone = false;
      setHasFailed(false);
      load().then(
        (module) => {
          loaded = module;
          if (!isGone) setComponent(() => module);
        },
        () => isGone || setHasFailed(true),
      );
      return () => {
        isGone = true;
      };
    }, [round]);
    if (Component !== undefined) return <Component {...props} />;
    if (!hasFailed) return undefined;
    return <FailedPart text={words.notLoaded} tryAgain={() => setRound((before) => before + 1)} />;
  };
}
