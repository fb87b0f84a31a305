/** `GET /v1/trunks` and `POST /v1/trunks/reload`. */
import type { TrunkView } from '../../../contracts/trunk-api.ts';
import { faultSentence } from '../../../domain/trunk/trunk-fault.ts';
import { problemPlace } from '../../../domain/trunk/trunk-problem.ts';
import type { TrunkDesk, TrunkEntry } from '../../../ports/trunks.ts';
import { failure, reply, type Handlers } from '../http-call.ts';

/** As many as a problem document names. */
const MAX_NAMED = 50;

export function trunkHandlers(desk: TrunkDesk): Pick<Handlers, 'listTrunks' | 'reloadTrunks'> {
  const trunks = (): readonly TrunkView[] => desk.entries().map(viewOf);
  return {
    listTrunks: () => Promise.resolve(reply(200, { trunks: trunks() })),
    reloadTrunks: async () => {
      const reloaded = await desk.reload();
      if (reloaded.ok) return reply(200, { changes: reloaded.changes, trunks: trunks() });
      const { problems } = reloaded;
      const errors = problems.slice(0, MAX_NAMED).map((problem) => ({
        path: problemPlace(problem),
        message: `expected ${problem.expected}`,
      }));
      return failure(
        'ERR_TRUNK_FILES_WRONG',
        `${problems.length} mistake(s); what was in force stays`,
        errors,
      );
    },
  };
}

function viewOf({ fault, ...trunk }: TrunkEntry): TrunkView {
  const reason = fault && { code: fault.code, fields: [...fault.fields], detail: faultSentence(fault) };
  return { ...trunk, usable: fault === null, reason };
}
