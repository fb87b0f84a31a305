/** Master data: citizens and their devices, operators, zones and who is on duty where. */
import type { Knex } from 'knex';

export const name = '0001-directory';

// Ids sort by code unit, whatever the database's locale: pages and lock order are the same everywhere.
const DDL = `
CREATE TABLE zones (
  id text COLLATE "C" PRIMARY KEY,
  name text NOT NULL,
  -- GeoJSON coordinates of a Polygon (RFC 7946 section 3.1.6); null: the catch-all.
  polygon jsonb
);
CREATE UNIQUE INDEX zones_one_catch_all ON zones ((polygon IS NULL)) WHERE polygon IS NULL;

CREATE TABLE citizens (
  id text COLLATE "C" PRIMARY KEY,
  phone text CHECK (phone ~ '^\\+[1-9][0-9]{6,14}$'),
  phone_verified boolean NOT NULL,
  home_zone text COLLATE "C" REFERENCES zones (id),
  silent boolean NOT NULL
);
CREATE INDEX citizens_home_zone ON citizens (home_zone);

CREATE TABLE citizen_devices (
  citizen_id text COLLATE "C" NOT NULL REFERENCES citizens (id) ON DELETE CASCADE,
  device_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (citizen_id, device_id)
);

CREATE TABLE operators (
  id text COLLATE "C" PRIMARY KEY,
  name text NOT NULL,
  duty_phone text CHECK (duty_phone ~ '^\\+[1-9][0-9]{6,14}$'),
  capacity integer NOT NULL CHECK (capacity > 0),
  active boolean NOT NULL
);

CREATE TABLE roster (
  zone_id text COLLATE "C" NOT NULL REFERENCES zones (id),
  operator_id text COLLATE "C" NOT NULL REFERENCES operators (id),
  duty text NOT NULL CHECK (duty IN ('operator', 'supervisor')),
  priority integer NOT NULL,
  valid_from timestamptz,
  valid_until timestamptz,
  CHECK (valid_from < valid_until),
  UNIQUE NULLS NOT DISTINCT (zone_id, operator_id, duty, valid_from)
);
CREATE INDEX roster_operator ON roster (operator_id);

-- What nodes have seen of panels and SIP contacts. No foreign keys: what is seen is recorded, known or not.
CREATE TABLE operator_presence (
  aor text PRIMARY KEY,
  operator_id text COLLATE "C" NOT NULL,
  on_shift boolean NOT NULL,
  since timestamptz NOT NULL
);
CREATE INDEX operator_presence_operator ON operator_presence (operator_id) WHERE on_shift;

CREATE TABLE contacts (
  aor text PRIMARY KEY,
  online boolean NOT NULL,
  since timestamptz NOT NULL
);
`;

export async function up(knex: Knex): Promise<void> {
  await knex.raw(DDL);
}
