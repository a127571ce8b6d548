//! The recorders of a runtime, by id.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::error::{Error, Result, Status};
use crate::recorder::Hold;

/// Longest recorder id, in bytes.
const MAX_ID: usize = 255;

enum Place {
    /// Somebody is making the recorder.
    Creating,
    Here(Arc<Hold>),
    /// Somebody is stopping it, to remove it.
    Removing(Arc<Hold>),
}

/// See the module. In order of creation.
#[derive(Default)]
pub struct Registry {
    places: IndexMap<String, Place>,
}

fn recorder_error(status: Status, reason: &'static str, id: &str, what: String) -> Error {
    Error::new(status, reason, what).with_detail("recorder_id", id)
}

fn not_found(id: &str) -> Error {
    recorder_error(
        Status::NotFound,
        "RECORDER_NOT_FOUND",
        id,
        format!("the runtime has no recorder '{id}'"),
    )
}

/// The recorder could not be started.
pub fn startup_error(id: &str, cause: Error) -> Error {
    let what = format!("unable to start the recorder '{id}'");
    recorder_error(Status::StartupFailed, "RECORDER_STARTUP_ERROR", id, what).caused_by(cause)
}

/// The recorder could not be stopped.
pub fn stop_error(id: &str, cause: Error) -> Error {
    let what = format!("unable to stop the recorder '{id}'");
    recorder_error(Status::StopFailed, "RECORDER_STOP_ERROR", id, what).caused_by(cause)
}

/// The id without blanks around it.
///
/// # Errors
/// INVALID_ARGUMENT where nothing is left, or more than 255 bytes.
pub fn normalized(id: &str) -> Result<&str> {
    let id = id.trim();
    if id.is_empty() || id.len() > MAX_ID {
        let problem = format!(
            "must have 1 to {MAX_ID} bytes without blanks around them, has {}",
            id.len()
        );
        return Err(Error::invalid_argument("recorder_id", problem));
    }
    Ok(id)
}

impl Registry {
    /// Takes the id for a recorder that is being made.
    pub fn reserve(&mut self, id: &str) -> Result<()> {
        if self.places.contains_key(id) {
            let what =
                format!("the runtime has a recorder '{id}' already, or one is being created or removed");
            return Err(recorder_error(
                Status::AlreadyExists,
                "RECORDER_ALREADY_EXISTS",
                id,
                what,
            ));
        }
        self.places.insert(id.to_owned(), Place::Creating);
        Ok(())
    }

    /// The recorder under the reserved id is made; false where the registry was cleared meanwhile.
    pub fn fill(&mut self, id: &str, hold: Arc<Hold>) -> bool {
        match self.places.get_mut(id) {
            Some(place @ Place::Creating) => {
                *place = Place::Here(hold);
                true
            }
            _ => false,
        }
    }

    /// Frees an id.
    pub fn remove(&mut self, id: &str) -> Option<Arc<Hold>> {
        match self.places.shift_remove(id) {
            Some(Place::Here(hold) | Place::Removing(hold)) => Some(hold),
            _ => None,
        }
    }

    /// The recorder of this id, unless it is being made or removed.
    pub fn get(&self, id: &str) -> Option<Arc<Hold>> {
        match self.places.get(id) {
            Some(Place::Here(hold)) => Some(Arc::clone(hold)),
            _ => None,
        }
    }

    /// As [`Registry::get`], with an error.
    pub fn find(&self, id: &str) -> Result<Arc<Hold>> {
        self.get(id).ok_or_else(|| not_found(id))
    }

    /// Marks a recorder as being removed: nobody else finds it.
    pub fn begin_removal(&mut self, id: &str) -> Result<Arc<Hold>> {
        let hold = self.find(id)?;
        self.places
            .insert(id.to_owned(), Place::Removing(Arc::clone(&hold)));
        Ok(hold)
    }

    /// Takes [`Registry::begin_removal`] back.
    pub fn end_removal(&mut self, id: &str) {
        if let Some(place) = self.places.get_mut(id)
            && let Place::Removing(hold) = place
        {
            *place = Place::Here(Arc::clone(hold));
        }
    }

    /// Ids of recorders, in order of creation.
    pub fn ids(&self) -> Vec<String> {
        let ready = |place: &Place| !matches!(place, Place::Creating);
        self.places
            .iter()
            .filter(|(_, place)| ready(place))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// Everything, for the end.
    pub fn clear(&mut self) -> Vec<(String, Arc<Hold>)> {
        self.places
            .drain(..)
            .filter_map(|(id, place)| match place {
                Place::Here(hold) | Place::Removing(hold) => Some((id, hold)),
                Place::Creating => None,
            })
            .collect()
    }
}
