import { resolve } from 'node:path';
import {
  startGatewayEngine,
  type GatewayEngine,
  type GatewayEngineOptions,
} from '../../control-plane/sandbox/gateway-engine.ts';
import { loadTrunks } from '../../control-plane/src/adapters/engine-config/load-trunks.ts';
import type { Trunk } from '../../control-plane/src/domain/trunk/trunk.ts';
import { asteriskRootDir, makeRunDir, repositoryTop } from './sandbox-roots.ts';

export const trunksDir = resolve(repositoryTop, 'sip-trunks');

/** The sandbox's trunk, pointed at a carrier (or at nobody) on `port` of 127.0.0.2. */
export function sandboxTrunk(port: number, changes: Partial<Trunk> = {}): Trunk {
  const loaded = loadTrunks(trunksDir, ['sandbox']);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const trunk = loaded.trunks[0]!.trunk;
  return { ...trunk, hosts: [{ address: '127.0.0.2', port, priority: 10 }], ...changes };
}

/** A gateway's Asterisk in a run directory of its own. `stop` removes that too. */
export async function startTestEngine(
  options: Partial<GatewayEngineOptions> & Pick<GatewayEngineOptions, 'trunks'>,
): Promise<GatewayEngine & { readonly runDir: string }> {
  const { runDir, remove } = makeRunDir('engine');
  try {
    const engine = await startGatewayEngine({
      root: asteriskRootDir(),
      runDir,
      ariApp: 'hamrahi',
      rtpPorts: 200,
      ...options,
    });
    const stop = async (): Promise<void> => {
      await engine.stop();
      await remove();
    };
    return { ...engine, runDir, stop };
  } catch (error) {
    await remove();
    throw error;
  }
}
