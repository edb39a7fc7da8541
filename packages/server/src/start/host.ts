import type { ServerOptions } from "../config.ts";
import { hostOfDirectory } from "../directory/bootstrap.ts";
import { holdPort } from "../http/listening.ts";
import type { HeldPort } from "../http/listening.ts";
import type { Store } from "../store/store.ts";

/**
 * The public name: as given, else that of the data folder, else `localhost` with the port, which is then held until the server listens,
 * unless it listens on none.
 * @throws ServerError `address_not_allowed`; StoreError
 */
export async function chooseHost(params: {
  options: ServerOptions;
  store: Store;
  address: string;
  isListening: boolean;
}): Promise<{ readonly host: string; readonly held: HeldPort | undefined }> {
  const { options, store, address, isListening } = params;
  const named = options.host ?? (options.port === 0 ? await hostOfDirectory(store) : undefined);
  if (named !== undefined) return { host: named, held: undefined };
  const held = options.port === 0 && isListening ? await holdPort(address) : undefined;
  return { host: `localhost:${held?.port ?? options.port}`, held };
}
