"""The closed lists of codes that entries, the venue file and the faces share (DESIGN §8).

Owns the words and nothing of what they do. A text that is not on its list never enters a book:
entries are kept for ever by everybody, so that a name typed as a reason could never be erased.
What a person wants to say freely goes into a sealed note.

The lists that people choose from hold several words for one thing, because nobody should have to
guess ours; `other` is on each of them. A code is never removed or renamed: old entries carry it for
ever. A later version that adds one raises the schema of the entries that use it (docs/protocol.md
§4). docs/words.md shows all of them.
"""

from __future__ import annotations

from typing import Final

from holdfast.model import contradictions, restrictions


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# --- venues and reservations ----------------------------------------------------------------------

VENUE_KINDS: Final = frozenset({"restaurant", "centre", "lodging", "spot", "event"})

RESERVATION_KINDS: Final = frozenset({"guest", "walk_in", "house"})
"""`guest`: asked for beforehand; `walk_in`: stands at the desk; `house`: the venue's own use."""

SOURCES: Final = _words(
    "direct phone website app walk_in partner agency corporate group import other"
)
"""Where a reservation came from: the channel, never a person or a partner's name."""

OCCASIONS: Final = _words("birthday anniversary business date celebration other")

OUTCOMES: Final = frozenset({"", "confirmed", "completed", "cancelled", "no_show"})
"""How an existing system says that a reservation ended; empty: it did not come from one."""

RESTRICTIONS: Final = frozenset(restrictions.KINDS)
"""What a person can be restricted in; `restrictions` says what each does."""

TIERS: Final = _words(
    "trial basic standard plus premium bronze silver gold platinum diamond vip student family"
    " corporate founder honorary lifetime"
)
"""Tiers of a membership that no venue file needs to name; it may name others (`guests.tiers`)."""

TAGS: Final = _words(
    "regular vip member former_member guest_of_member staff owner partner supplier press agency"
    " corporate group student senior local tourist beginner advanced trained certified instructor"
    " coach team league volunteer reseller tester influencer"
)
"""What a person may be known as without the venue file; it may name others (`guests.tags`)."""

GUEST_FLAGS: Final = frozenset({"vip", "issue"})
"""How a person can be marked: to be received with honours; something went wrong, be careful."""

FORMS: Final = frozenset({"hold", "waitlist", "block"})
"""What a making can be instead of a reservation: `events.Form` says what each is."""

BLOCK_KINDS: Final = frozenset({"maintenance", "training", "private_event", "blocked"})
"""What a resource is used for while it is out of use for guests."""

SLOT_KINDS: Final = frozenset({"normal", "private_event", "closed", "maintenance", "weather"})
"""What the venue file may say of single slots: guests begin in those alone that are `normal`."""

TABLE_TYPES: Final = frozenset({"standard", "booth", "bar", "high_top", "outdoor", "private"})
"""What sort of table a resource is, for whoever seats people and for the plan."""

SHAPES: Final = frozenset({"round", "square", "rectangle"})
"""How a resource looks on a plan."""

COUNTS: Final = frozenset({"people", "units"})
"""What the capacity of a pool counts: guests, or interchangeable units such as rooms of a type."""

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""In the order of `date.weekday()`."""

# --- reasons that people give ---------------------------------------------------------------------

_ANYWHERE: Final = _words(
    "mistake entered_by_mistake typing_error typo error duplicate correction"
    " test testing tests training demo drill rehearsal experiment cleanup"
    " policy management unknown unspecified other"
)
"""What may be the reason of anything."""

CANCELLED_BY: Final = frozenset({"guest", "venue", "system"})

CANCEL_REASONS: Final = _ANYWHERE | _words(
    # The guest.
    "guest_request guest_cancelled guest_canceled guest_changed_plans customer_request request"
    " changed_plans change_of_plans plans_changed changed_mind date_changed time_changed"
    " party_size_changed not_needed no_longer_needed personal personal_reasons work business"
    " guest_late late running_late too_late no_show no_answer unreachable not_reached"
    " not_confirmed unconfirmed booked_elsewhere found_alternative too_expensive price complaint"
    " wrong_date wrong_time wrong_venue wrong_party_size wrong_details invalid"
    # The way there.
    " weather storm snow flood heat travel traffic transport strike flight_cancelled flight_delayed"
    # The house.
    " venue_closed venue_request closed closure closing holiday season_over maintenance repair"
    " renovation technical technical_problem power_cut fire staff_shortage no_staff staff_ill"
    " kitchen_closed private_event event_cancelled overbooked overbooking fully_booked full"
    " no_capacity capacity double_booked double_booking displaced moved rebooked rescheduled"
    " merged replaced safety security public_health"
    # Money, and what a system says.
    " payment_failed payment_missing card_declined no_deposit deposit_missing fraud spam abuse"
    " expired hold_expired timeout imported withdrawn"
)
"""Why a reservation ended before it began; `imported`: an existing system says so without why."""

PRIVATE_REASONS: Final = _words(
    "ill illness sick sickness guest_ill guest_sick health medical injury accident hospital doctor"
    " emergency medical_emergency family family_emergency bereavement death pregnancy"
)
"""Words about a guest's health or family: they must not stand beside a pseudonym for ever, and are
written as `personal_reasons`."""

BLOCK_REASONS: Final = _ANYWHERE | _words(
    # Something must be done.
    "maintenance repair broken defective cleaning deep_cleaning inspection renovation construction"
    " calibration update software_update installation technical technical_problem power_cut"
    " water_damage pest_control safety security fire setup rearrangement storage"
    # Somebody has it.
    " private_event event party wedding meeting conference visitor visitors tour press filming"
    " photo_shoot staff_meal staff_event staff_training competition league course school owner"
    " owner_use group reserved_for_house vip"
    # Nobody can be there.
    " closed closure holiday season_over no_staff staff_shortage weather storm heat cold"
    " public_health"
)
"""Why a resource is out of use."""

REVOKE_REASONS: Final = _ANYWHERE | _words(
    # It is not where it should be.
    "stolen lost lost_or_stolen missing theft device_lost device_stolen lost_device stolen_device"
    " not_returned misplaced disappeared gone"
    # It does not work, or is not needed.
    " broken device_broken broken_device damaged defective faulty failed dead malfunction"
    " hardware_failure disk_failure water_damage worn_out repair retired decommissioned"
    " out_of_service out_of_use unused not_needed no_longer_needed no_longer_used obsolete old"
    " outdated expired replaced device_replaced replacement renewed upgraded upgrade reinstalled"
    " reset rejoined renamed moved sold given_away returned disposed recycled scrapped lent"
    " end_of_life end_of_lease end_of_season season_over venue_closed closed"
    # Somebody else may use it.
    " compromised device_compromised key_compromised key_leaked leaked hacked breached malware"
    " virus tampered suspicious suspected untrusted rogue misused misuse abuse fraud unauthorised"
    " unauthorized security security_incident incident precaution cloned copied copy forked"
    " restored staff_left staff_change employee_left left_company dismissed contract_ended"
    " offboarding"
    # It was let in wrongly, or is not heard.
    " wrong_venue wrong_role wrong_name wrong_device not_ours invited_by_mistake"
    " offline silent unreachable unresponsive not_heard not_heard_in_recovery maintenance"
    " requested on_request owner_request operator_request admin_request"
)
"""Why a device was shut out; `not_heard_in_recovery`: a restored hub went on without it."""

WITHDRAW_REASONS: Final = _ANYWHERE | _words(
    "guest_request guest_cancelled guest_canceled guest_changed_plans changed_plans changed_mind"
    " cancelled canceled request operator_error user_error wrong wrong_entry wrong_date wrong_time"
    " wrong_venue wrong_guest wrong_party_size wrong_details incorrect invalid malformed bad_data"
    " bad_entry corrupt quarantined refused rejected failed not_accepted cannot_be_accepted"
    " unacceptable conflict superseded replaced redone rewritten entered_again written_again"
    " made_again rebooked moved resolved handled not_needed no_longer_needed unneeded obsolete"
    " outdated stale old expired too_late late timeout stuck abandoned gave_up clock_wrong"
    " software_error bug newer_version overbooked full no_capacity venue_closed maintenance"
    " entered_twice"
)
"""Why a writer gave up an operation of its own."""

RESOLVE_REASONS: Final = _ANYWHERE | _words(
    # The guest knows.
    "called_guest guest_called called phoned guest_phoned phoned_guest telephoned guest_informed"
    " informed_guest informed guest_contacted contacted_guest contacted guest_notified"
    " notified_guest notified guest_told told_guest emailed_guest guest_emailed emailed"
    " messaged_guest guest_messaged texted_guest guest_texted no_answer not_reached unreachable"
    " apologised apologized apology guest_request guest_agreed guest_accepted guest_declined"
    " guest_refused guest_cancelled guest_canceled guest_changed_plans guest_left guest_arrived"
    " guest_waiting guest_happy guest_complained complaint"
    # Another place, time or price.
    " moved guest_moved rebooked rescheduled relocated reassigned reseated seated seated_elsewhere"
    " other_table another_table other_room another_room other_time another_time other_date"
    " another_date other_place another_place alternative alternative_offered offered_alternative"
    " offered_another_time place_found table_found room_found place_freed waitlisted waitlist"
    " upgraded walked walk refunded refund fee_refunded fee_waived compensated compensation"
    " voucher discount goodwill overbooked overbooking full no_capacity capacity venue_closed"
    " cancelled canceled displaced"
    # It was looked at.
    " handled done fixed resolved solved settled sorted sorted_out dealt_with completed closed"
    " accepted acknowledged acknowledge agreed approved confirmed checked verified reviewed"
    " investigated looked_at seen noted read known understood expected no_action no_action_needed"
    " nothing_to_do not_needed no_longer_needed not_relevant irrelevant ignored ignore harmless"
    " false_alarm outdated obsolete expired too_late no_show showed_up same_party same_guest"
    " two_parties double_check_in double_booked double_booking quarantined withdrawn refused"
    " conflict maintenance"
    # The device.
    " device_stopped device_replaced device_revoked stopped rejoined cloned copied restored backup"
    " clock_wrong software_error"
)
"""What was done about an exception, beside its action."""

ERASE_REASONS: Final = _ANYWHERE | _words(
    # The person asks.
    "guest_request request requested on_request data_request erasure_request right_to_erasure"
    " right_to_be_forgotten forget consent_withdrawn withdrawn_consent objection objected"
    " account_closed closed_account unsubscribed moved_away"
    # The house keeps nothing longer than it must.
    " retention retention_period expired no_longer_needed not_needed inactive outdated obsolete"
    " minimisation minimization end_of_season season_over venue_closed contract_ended"
    # It should never have been here.
    " unlawful no_consent minor child wrong_guest wrong_person wrong_details merged spam abuse"
    " legal legal_obligation court_order authority_request security_incident leaked"
)
"""Why a guest was forgotten."""

RESTRICT_REASONS: Final = _ANYWHERE | _words(
    # Reservations that came to nothing.
    "no_show no_shows repeated_no_shows did_not_come late late_arrivals cancellations"
    " late_cancellations repeated_cancellations too_many_reservations duplicate_reservations"
    # Money.
    " unpaid unpaid_bill unpaid_fee bill_open fee_open payment payment_failed payment_missing"
    " payment_disputed chargeback card_declined deposit_missing"
    # At the venue.
    " conduct house_rules rules_broken terms_broken damage damaged_equipment left_untidy noise"
    " smoking pets safety safety_rules complaint complaints other_guests staff_request"
    " misuse abuse spam resale"
    # Who it is, and what for.
    " false_details identity_unclear duplicate_account shared_account not_qualified not_trained"
    " training_missing certificate_missing certificate_expired membership membership_ended"
    " membership_suspended not_a_member trial new_guest fair_use high_demand season"
    " minor parent_request guest_request self_exclusion"
    # The law, and what is being looked into.
    " legal legal_obligation court_order authority_request security security_incident precaution"
    " dispute investigation under_review"
)
"""Why a person was restricted. Nothing of health, of family or of crimes: it stays for ever."""

LIFT_REASONS: Final = _ANYWHERE | _words(
    "paid settled refunded resolved solved cleared agreed agreement apologised apologized apology"
    " explained appeal appealed reviewed review second_chance goodwill time_served served improved"
    " expired over no_longer_needed not_needed outdated obsolete superseded replaced changed"
    " renewed membership_renewed qualified trained certificate_shown details_corrected"
    " identity_clear wrong_guest wrong_person wrong_details guest_request legal legal_obligation"
    " court_order authority_request manager owner season_over"
)
"""Why a restriction was lifted."""

OVERRIDE_REASONS: Final = _words(
    # Who comes.
    "vip_guest vip regular_guest regular guest_of_the_house staff_guest owner_request partner"
    " agency corporate group large_group event wedding celebration press inspector accessibility"
    # It will work out.
    " expected_no_show expected_no_shows expected_cancellation expected_cancellations"
    " late_arrival early_departure short_stay leaves_early shared_table guests_share extra_seats"
    " extra_table extra_room extra_bed place_found overbooking overbooked high_demand"
    # Something went wrong before.
    " goodwill compensation complaint displaced double_booked double_booking system_error"
    " software_error staff_error our_mistake mistake entered_by_mistake emergency safety weather"
    " transport stranded_guest walked"
    " management manager owner policy test training demo other"
)
"""Why somebody is given a place beyond the capacity."""


def resolve_reasons(action: str) -> frozenset[str]:
    """The words from which the reason of an answer to an exception is taken: who overbooks says why
    the place may be had."""
    return OVERRIDE_REASONS if action == contradictions.OVERBOOK else RESOLVE_REASONS


# --- what replicas say to each other --------------------------------------------------------------

VERDICTS: Final = frozenset({"admitted", "moved", "displaced"})

DECISION_REASONS: Final = _words(
    "free taken not-held no-such-resource superseded resource-repeated quarantined override"
    " over-limit"
)
"""Why a holder decided as it did (`deciding`)."""

PROGNOSIS_REASONS: Final = DECISION_REASONS | _words("asked-first asked-later contested")
"""Why a device expects a decision (`prognosis`): the holder's reason, or how it stands among others
that ask for the same place. It stands in no entry."""

CLAIM_END_REASONS: Final = _words(
    "cancelled completed expired moved reserved superseded no_show lapsed"
)
"""What made a holder free a claim: the step or the status that asked for it; `lapsed`: nobody took
the offer that it was."""

SUCCESSION_REASONS: Final = _words(
    "clock_corrected clock_ahead forked closed copied moved restored replaced rejoined other"
)
"""Why a life of a device ended and the next one began."""

CHAIN_CLOSE_REASONS: Final = REVOKE_REASONS | _words("succeeded hub_recovered forked")
"""Why the hub closed a chain: another life follows, it has two branches, the hub was restored, or
it shut out whose chain it is."""

OVERSOLD: Final = "oversold"
"""Why the hub takes a right back by itself."""

RIGHT_REVOKE_REASONS: Final = REVOKE_REASONS | _words("stranded revoked venue_changed oversold")
"""Why the hub took a right back; `stranded`: its holder has not been heard;
`oversold`: it sold more than it had."""

EXCEPTION_KINDS: Final = contradictions.KINDS
"""The kinds of exceptions that reservations raise; `contradictions` says what each is."""

ACTIONS: Final = contradictions.ACTIONS
"""What a person did about one."""
