import { homedir } from 'node:os';
import { join } from 'node:path';

/** What the CLI takes from its environment; read here and nowhere else. */
export interface CliEnvironment {
  /** `BERTH_URL`: overrides the URL of the credentials file. */
  url: string | null;
  /** `BERTH_TOKEN`: overrides the token of the credentials file. */
  token: string | null;
  /** `BERTH_CONFIG`: the folder of `credentials.json`. */
  configFolder: string;
  /** False when `NO_COLOR` (no-color.org) is set to anything, or the terminal is dumb. */
  colorWanted: boolean;
  /** Whether there is a graphical display (X11, Wayland). */
  display: boolean;
}

export function readEnvironment(variables: NodeJS.ProcessEnv = process.env): CliEnvironment {
  const configHome = variables.XDG_CONFIG_HOME || join(homedir(), '.config');
  return {
    url: variables.BERTH_URL || null,
    token: variables.BERTH_TOKEN || null,
    configFolder: variables.BERTH_CONFIG || join(configHome, 'berth'),
    colorWanted: !variables.NO_COLOR && variables.TERM !== 'dumb',
    display: Boolean(variables.DISPLAY || variables.WAYLAND_DISPLAY),
  };
}
