/** The operations on trunks: what is in force, and the files read anew. */
import type { Operation } from './operation.ts';
import { trunkList, trunkReload } from './trunk-api.ts';

export const TRUNK_OPERATIONS = {
  listTrunks: {
    method: 'get',
    path: '/v1/trunks',
    tag: 'trunk',
    summary: 'The trunks, and which of them can be used',
    roles: ['supervisor', 'admin', 'backend'],
    responses: { 200: trunkList },
    errors: [],
  },
  reloadTrunks: {
    method: 'post',
    path: '/v1/trunks/reload',
    tag: 'trunk',
    summary: 'Read the trunk files anew',
    description:
      'In force for the next call; calls that stand go on. Files that are wrong change nothing, and each mistake is named in `errors` (`path`: file, line and field). SIGHUP does the same. Of the node that answers: another one is told by its own.',
    roles: ['admin'],
    responses: { 200: trunkReload },
    errors: ['ERR_TRUNK_FILES_WRONG'],
  },
} as const satisfies Record<string, Operation>;
