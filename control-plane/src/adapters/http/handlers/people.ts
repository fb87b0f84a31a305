/** Citizens and operators. Numbers come in in clear and go out redacted. */
import type { z } from 'zod';
import type { citizenBody, operatorBody } from '../../../contracts/directory-api.ts';
import type { CitizenId, DeviceId, OperatorId, ZoneId } from '../../../domain/ids.ts';
import type { NumberRefusal } from '../../../domain/numbering/number-policy.ts';
import { PhoneNumber } from '../../../domain/numbering/phone-number.ts';
import { REFUSAL_WORDS } from '../../../domain/numbering/refusal-words.ts';
import type { Citizen, Directory, Operator } from '../../../ports/directory.ts';
import { failure, reply, type Handlers, type Outcome } from '../http-call.ts';

type PeopleOperation =
  | 'putCitizen'
  | 'getCitizen'
  | 'deleteCitizen'
  | 'putOperator'
  | 'getOperator'
  | 'deleteOperator'
  | 'listOperators';

/** Told of a number that is nobody's telephone, or `null`. */
type RefusalOf = (number: PhoneNumber) => NumberRefusal | null;

export function peopleHandlers(directory: Directory, refusalOf: RefusalOf): Pick<Handlers, PeopleOperation> {
  return {
    putCitizen: async ({ params, body }) => {
      const citizen = citizenOf(params.id, body);
      const refused = refusedPhone('phone', citizen.phone, refusalOf);
      if (refused) return refused;
      const result = await directory.putCitizen(citizen);
      return result.ok ? reply(200, citizenEntry(citizen)) : failure(result.code, result.detail);
    },
    getCitizen: async ({ params }) => {
      const citizen = await directory.citizen(params.id as CitizenId);
      return citizen ? reply(200, citizenEntry(citizen)) : unknown('citizen');
    },
    deleteCitizen: async ({ params }) => gone(await directory.deleteCitizen(params.id as CitizenId)),
    putOperator: async ({ params, body }) => {
      const operator = operatorOf(params.id, body);
      const refused = refusedPhone('dutyPhone', operator.dutyPhone, refusalOf);
      if (refused) return refused;
      const result = await directory.putOperator(operator);
      return result.ok ? reply(200, operatorEntry(operator)) : failure(result.code, result.detail);
    },
    getOperator: async ({ params }) => {
      const operator = await directory.operator(params.id as OperatorId);
      return operator ? reply(200, operatorEntry(operator)) : unknown('operator');
    },
    deleteOperator: async ({ params }) => gone(await directory.deleteOperator(params.id as OperatorId)),
    listOperators: async ({ query }) => {
      const operators = await directory.operators((query.after ?? null) as OperatorId | null, query.limit);
      const next = operators.length === query.limit ? (operators.at(-1)?.id ?? null) : null;
      return reply(200, { operators: operators.map(operatorEntry), next });
    },
  };
}

function citizenOf(id: string, body: z.output<typeof citizenBody>): Citizen {
  return {
    id: id as CitizenId,
    phone: body.phone === null ? null : PhoneNumber.parse(body.phone),
    phoneVerified: body.phoneVerified,
    homeZone: body.homeZone as ZoneId | null,
    silent: body.silent,
    devices: body.devices as DeviceId[],
  };
}

function operatorOf(id: string, body: z.output<typeof operatorBody>): Operator {
  return {
    id: id as OperatorId,
    name: body.name,
    dutyPhone: body.dutyPhone === null ? null : PhoneNumber.parse(body.dutyPhone),
    capacity: body.capacity,
    active: body.active,
  };
}

function citizenEntry(citizen: Citizen) {
  return {
    id: citizen.id,
    phone: citizen.phone?.toString() ?? null,
    phoneVerified: citizen.phoneVerified,
    homeZone: citizen.homeZone,
    silent: citizen.silent,
    devices: citizen.devices,
  };
}

function operatorEntry(operator: Operator) {
  return {
    id: operator.id,
    name: operator.name,
    dutyPhone: operator.dutyPhone?.toString() ?? null,
    capacity: operator.capacity,
    active: operator.active,
  };
}

/** Found out now, by who writes it, and not by an SOS that calls it. What may be a telephone is taken. */
function refusedPhone(path: string, phone: PhoneNumber | null, refusalOf: RefusalOf): Outcome | null {
  const refusal = phone && refusalOf(phone);
  if (refusal === null) return null;
  return failure('ERR_HTTP_VALIDATION', 'the body does not fit the contract', [
    { path, message: REFUSAL_WORDS[refusal] },
  ]);
}

function unknown(what: string): Outcome {
  return failure('ERR_DIRECTORY_NOT_FOUND', `no such ${what}`);
}

function gone(result: Awaited<ReturnType<Directory['deleteCitizen']>>): Outcome {
  return result.ok ? reply(204, null) : failure(result.code, result.detail);
}
