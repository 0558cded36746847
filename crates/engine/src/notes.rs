//! Notes: what people of the team write down about a customer.

use farthing_core::ids::{CustomerId, IdKind};
use farthing_store::{customers, notes};
use serde_json::json;

use crate::follow_up::Change;
use crate::{Call, Engine, EngineError};

pub use farthing_store::notes::Note;

impl Engine {
    /// Writes a note. The timeline says that there is one; the text is in the note alone, and goes
    /// with the customer.
    ///
    /// Errors: no such customer, a text that is empty or longer than 2,000 characters.
    pub fn add_note(
        &self,
        call: &Call,
        customer: &CustomerId,
        text: &str,
    ) -> Result<Note, EngineError> {
        let text = text.trim().to_owned();
        if !(1..=2_000).contains(&text.chars().count()) {
            return Err(EngineError::invalid(
                "/text",
                "invalid_length",
                "a note has 1 to 2,000 characters",
                "write what others should know",
            ));
        }
        let (call, id) = (call.clone(), customer.clone());
        self.write(move |engine, tx| {
            let missing = || EngineError::no_customer(&id);
            let mut customer = customers::lock(tx, &id)?.ok_or_else(missing)?;
            engine.next_revision(tx, &mut customer)?;
            let note = Note {
                id: engine.new_id(IdKind::Note),
                actor: call.actor.clone(),
                text: text.clone(),
                created_at: engine.now(),
            };
            notes::insert(tx, &id, &note)?;
            let to = Some(json!({ "note": note.id }));
            let change =
                Change { action: "note.added", from: None, to, effective_at: engine.now() };
            engine.record(tx, &call, &customer, &change)?;
            Ok(note)
        })
    }

    /// A customer's notes, the newest first; the last hundred.
    pub fn notes(&self, customer: &CustomerId) -> Result<Vec<Note>, EngineError> {
        self.read(|_, tx| Ok(notes::of_customer(tx, customer)?))
    }
}
