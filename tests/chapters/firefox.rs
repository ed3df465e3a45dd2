//! The page in Firefox: what the chapters on the page show in Chromium, shown there too.
//!
//! Left out: what measures memory, which Firefox does not tell; `fingers`, for the fingers of
//! WebDriver BiDi scroll no page in Firefox; and `little_at_first_and_nothing_again`, for of what
//! was answered 304 Firefox tells the page 200 and its whole size.

/// Chapters and their tests.
macro_rules! also_in_firefox {
    ($($chapter:ident: $($test:ident)+;)+) => {
        $(mod $chapter {
            use crate::browser::in_firefox;
            use crate::chapters::$chapter;
            $(#[test]
            fn $test() {
                in_firefox($chapter::$test);
            })+
        })+
    };
}

also_in_firefox! {
    page: a_line_appears_within_a_second half_a_line_is_shown_and_grows text_stays_text another_stream_can_be_chosen
        a_flood_keeps_the_end_and_the_readers_place who_scrolls_up_while_the_page_changes_heights_is_not_brought_back;
    page_access: every_target_is_large_enough_for_a_thumb rows_are_silent_and_the_state_is_told
        a_letter_in_a_field_is_a_letter a_flood_is_told_in_few_words axe_finds_nothing;
    page_alerts: a_pattern_is_told_in_title_icon_and_row a_threshold_needs_no_chart the_screen_stays_on_while_one_follows
        what_does_not_work_on_plain_http_is_not_offered;
    page_breaks: restarts_lose_and_repeat_nothing what_is_asked_for_while_the_server_is_away rotation_shows_each_line_once_and_a_mark
        truncation_and_absence_leave_a_mark a_gap_leaves_a_mark a_character_cut_in_half_survives_a_restart
        the_cursor_of_a_large_file_is_exact a_silent_server_is_noticed being_looked_at_again_ends_the_wait;
    page_chart: every_form_with_no_question_asked numbers_open_by_themselves a_day;
    page_chart_live: over_rotations_and_a_restart before_the_clock_was_set a_file_that_begins
        two_streams_over_each_other;
    page_chart_hands: mouse_and_live what_a_person_chose taken_away keys;
    page_chart_access: axe_finds_nothing_in_charts every_target_of_a_chart_is_large_enough_for_a_thumb
        the_table_has_the_files_own_values;
    page_chart_open: a_connection_that_died_in_its_sleep what_crosses_a_threshold;
    page_chart_log: the_log_and_the_chart_point_at_one_moment a_chosen_line_comes_into_the_chart one_reading carriage_returns
        a_file_that_is_not_there_yet a_number_among_words pause_is_for_both;
    page_engine: on_the_board at_a_hub;
    page_fetched: few_pieces_of_a_large_log;
    page_find: from_hit_to_hit a_filter_shows_hits_alone_and_one_leads_to_its_place a_filter_goes_on_over_a_rotation
        what_stands_around_a_hit the_address_is_the_view
        an_evil_pattern_stops_nothing levels_and_errors to_a_part_and_to_a_time;
    page_kinds: a_value_that_is_written_anew a_sensor_that_is_away the_list_of_a_glob polled a_long_history;
    page_legible: colours_levels_and_records lines_that_were_never_drawn_are_copied_as_they_are a_choice_is_kept
        what_is_shown_is_saved;
    page_merged: two_streams_are_one_log a_late_line_is_put_in_its_place;
    page_scroll: each_line_once_from_the_end_to_the_start_and_into_the_rotated_file
        a_wheel_moves_by_its_own_px_and_leaves_nothing_out pause_loses_nothing_and_moves_nothing
        a_pause_over_a_hundred_thousand_lines
        a_line_of_a_mebibyte a_link_leads_into_the_rotated_file;
}
