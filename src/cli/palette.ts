import { Ansis } from 'ansis';

/**
 * The colours of a stream: none where it is no terminal, in a CI job too, unless FORCE_COLOR asks for them; NO_COLOR is
 * honoured. By itself the library colours whatever a CI job writes, files and comments made of it included.
 */
export const paletteOf = (
  stream: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Ansis => {
  const forced = environment.FORCE_COLOR !== undefined && environment.FORCE_COLOR !== '';
  return stream.isTTY === true || forced ? new Ansis() : new Ansis(0);
};
