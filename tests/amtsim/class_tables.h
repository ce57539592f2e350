/* The tables of class rows, one per class_*.c file; each ends with a row without name. */
#ifndef AMTSIM_CLASS_TABLES_H
#define AMTSIM_CLASS_TABLES_H

#include "tests/amtsim/class.h"

extern const struct class_row class_agent_rows[];       /* agent presence */
extern const struct class_row class_alarm_rows[];       /* alarm clock */
extern const struct class_row class_audit_rows[];       /* audit log */
extern const struct class_row class_boot_rows[];        /* boot control */
extern const struct class_row class_certificate_rows[]; /* certificates and TLS settings */
extern const struct class_row class_consent_rows[];     /* user consent */
extern const struct class_row class_defense_rows[];     /* System Defense: policies and where they hold */
extern const struct class_row class_event_rows[];       /* event log */
extern const struct class_row class_eventing_rows[];    /* alert subscriptions */
extern const struct class_row class_filter_rows[];      /* System Defense: filters and what they counted */
extern const struct class_row class_hardware_rows[];    /* inventory */
extern const struct class_row class_heuristics_rows[];  /* System Defense: worm detection */
extern const struct class_row class_identity_rows[];    /* who the device is, set-up state */
extern const struct class_row class_network_rows[];     /* ports, remote access */
extern const struct class_row class_port_rows[];        /* settings of ports, IPv6, wireless */
extern const struct class_row class_power_rows[];       /* power */
extern const struct class_row class_redirection_rows[]; /* SOL, IDE-R, KVM */
extern const struct class_row class_settings_rows[];    /* general settings, time, power scheme */
extern const struct class_row class_system_rows[];      /* systems and their relations */
extern const struct class_row class_user_rows[];        /* accounts */

#endif
