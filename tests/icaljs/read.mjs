// Reads calendar feeds with ical.js. It knows RFC 5545 and nothing of Holdfast.
//
//   node read.mjs FEED...
//
// Prints one JSON document: for each feed its `name` and its `events`, in the order of the feed.
// Instants are Unix seconds, worked out by the VTIMEZONE in the feed alone; days are texts.

import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const paths = process.argv.slice(2);
if (paths.length === 0) {
  process.stderr.write("usage: node read.mjs FEED...\n");
  process.exit(2);
}

const moment = (time) => {
  if (!time) {
    return null;
  }
  return time.isDate ? time.toString() : time.toUnixTime();
};

const read = (path) => {
  const calendar = new ICAL.Component(ICAL.parse(readFileSync(path, "utf8")));
  const zones = calendar.getAllSubcomponents("vtimezone").map((one) => new ICAL.Timezone(one));
  const events = calendar.getAllSubcomponents("vevent").map((one) => {
    const event = new ICAL.Event(one);
    for (const name of ["dtstart", "dtend"]) {
      const tzid = one.getFirstProperty(name)?.getParameter("tzid");
      if (tzid && !zones.some((zone) => zone.tzid === tzid)) {
        throw new Error(`${event.uid}: no VTIMEZONE for ${tzid}`);
      }
    }
    return {
      uid: event.uid,
      sequence: event.sequence,
      status: one.getFirstPropertyValue("status"),
      summary: event.summary,
      description: event.description,
      location: event.location,
      start: moment(one.getFirstPropertyValue("dtstart")),
      end: moment(one.getFirstPropertyValue("dtend")),
      changed: moment(one.getFirstPropertyValue("last-modified")),
      stamped: moment(one.getFirstPropertyValue("dtstamp")),
    };
  });
  return { name: calendar.getFirstPropertyValue("x-wr-calname"), events };
};

process.stdout.write(`${JSON.stringify(paths.map(read))}\n`);
